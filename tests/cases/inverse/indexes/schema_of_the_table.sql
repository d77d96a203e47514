-- setup
CREATE SCHEMA app;
CREATE TABLE app.orders (state text);
-- up
CREATE UNIQUE INDEX IF NOT EXISTS "State" ON app.orders USING btree (lower(state)) WHERE state IS NOT NULL;
-- expect down
DROP INDEX IF EXISTS app."State";
