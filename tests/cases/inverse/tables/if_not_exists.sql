CREATE TABLE IF NOT EXISTS orders (id int);
-- expect down
DROP TABLE IF EXISTS orders CASCADE;
