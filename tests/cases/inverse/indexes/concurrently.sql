-- setup
CREATE TABLE orders (state text);
-- up
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_state ON orders (state);
-- expect down
DROP INDEX CONCURRENTLY IF EXISTS orders_state;
