-- setup
CREATE SCHEMA a;
CREATE SCHEMA b;
-- up
SET LOCAL search_path = a;
CREATE TABLE t (id int);
SET LOCAL search_path = b;
CREATE TABLE t (id int);
INSERT INTO t VALUES (1);
-- expect down
SET LOCAL search_path = b;
DROP TABLE IF EXISTS t CASCADE;
SET LOCAL search_path = a;
DROP TABLE IF EXISTS t CASCADE;
