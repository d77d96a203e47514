CREATE TABLE orders (id int PRIMARY KEY, a int UNIQUE CHECK (a > 0), CHECK (a < 9));
ALTER TABLE orders ADD UNIQUE (a);
ALTER TABLE orders ADD CHECK (a <> 5);
-- expect down
ALTER TABLE orders DROP CONSTRAINT orders_a_check2;
ALTER TABLE orders DROP CONSTRAINT orders_a_key1;
DROP TABLE IF EXISTS orders CASCADE;
