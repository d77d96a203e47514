-- up
CREATE SCHEMA app AUTHORIZATION derive_owner;
CREATE TABLE app.users (id serial PRIMARY KEY);
CREATE VIEW app.ids AS SELECT id FROM app.users;
-- expect down
DROP VIEW IF EXISTS app.ids;
DROP TABLE IF EXISTS app.users CASCADE;
DROP SCHEMA IF EXISTS app;
-- expect how: text
