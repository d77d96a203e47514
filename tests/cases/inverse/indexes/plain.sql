-- setup
CREATE TABLE orders (state text);
-- up
CREATE INDEX orders_state ON orders (state);
-- expect down
DROP INDEX IF EXISTS orders_state;
