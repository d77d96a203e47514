-- setup
CREATE TABLE orders (a int);
-- up
CREATE INDEX orders_a_idx ON orders (a);
CREATE INDEX ON orders (a);
-- expect down
DROP INDEX IF EXISTS orders_a_idx1;
DROP INDEX IF EXISTS orders_a_idx;
