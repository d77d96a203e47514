-- setup
CREATE SCHEMA app;
CREATE TABLE app.orders (a int);
-- up
CREATE INDEX ON app.orders (a);
-- expect down
DROP INDEX IF EXISTS app.orders_a_idx;
