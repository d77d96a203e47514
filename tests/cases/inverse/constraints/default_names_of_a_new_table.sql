CREATE TABLE orders (id int, a int, b int);
ALTER TABLE orders ADD CHECK (a > b);
ALTER TABLE orders ADD CHECK (true);
-- expect down
ALTER TABLE orders DROP CONSTRAINT orders_check1;
ALTER TABLE orders DROP CONSTRAINT orders_check;
DROP TABLE IF EXISTS orders CASCADE;
