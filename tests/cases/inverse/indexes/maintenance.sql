-- setup
CREATE TABLE orders (a int);
CREATE INDEX orders_a ON orders (a);
CREATE MATERIALIZED VIEW mv AS SELECT * FROM orders;
-- up
REINDEX INDEX orders_a;
ANALYZE orders;
REFRESH MATERIALIZED VIEW mv;
LOCK TABLE orders IN ACCESS EXCLUSIVE MODE;
-- expect down
