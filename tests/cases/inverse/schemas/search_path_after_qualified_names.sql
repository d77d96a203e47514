CREATE SCHEMA app;
SET search_path TO app;
CREATE TABLE t (id int);
RESET search_path;
-- expect down
SET search_path TO app;
DROP TABLE IF EXISTS t CASCADE;
DROP SCHEMA IF EXISTS app;
