-- before
CREATE EXTENSION hstore;
-- up
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE TABLE t (h hstore DEFAULT ''::hstore);
-- expect down
DROP TABLE IF EXISTS t CASCADE;
-- expect how: statements
