CREATE TABLE orders (id int PRIMARY KEY, total numeric(10,2));
-- expect down
DROP TABLE IF EXISTS orders CASCADE;
