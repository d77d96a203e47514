-- setup
CREATE SCHEMA app;
-- up
SET search_path = app, public;
CREATE TABLE t (id int);
CREATE INDEX ON t (id);
-- expect down
SET search_path = app, public;
DROP INDEX IF EXISTS t_id_idx;
DROP TABLE IF EXISTS t CASCADE;
