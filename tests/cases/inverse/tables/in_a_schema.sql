-- setup
CREATE SCHEMA app;
-- up
CREATE TABLE app.users (id int);
-- expect down
DROP TABLE IF EXISTS app.users CASCADE;
