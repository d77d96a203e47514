-- setup
CREATE TABLE orders (a int, b int, c int);
-- up
ALTER TABLE orders ADD UNIQUE (a) INCLUDE (b, c);
-- expect down
ALTER TABLE orders DROP CONSTRAINT orders_a_b_c_key;
