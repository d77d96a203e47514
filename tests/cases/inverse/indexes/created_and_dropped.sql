-- setup
CREATE TABLE orders (a int);
-- up
CREATE INDEX i ON orders (a);
DROP INDEX i;
CREATE INDEX ON orders (a);
DROP INDEX orders_a_idx;
CREATE INDEX ON orders (a);
-- expect down
DROP INDEX IF EXISTS orders_a_idx;
