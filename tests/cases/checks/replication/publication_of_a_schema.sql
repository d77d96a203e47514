-- setup
CREATE SCHEMA app;
CREATE TABLE app.orders (id int PRIMARY KEY);
CREATE PUBLICATION app_tables FOR TABLES IN SCHEMA app;

-- down
DROP SCHEMA app CASCADE;

-- expect
-- Publication app_tables (0 active replication slots) publishes app.orders (dropped): subscribers don't get schema changes.
