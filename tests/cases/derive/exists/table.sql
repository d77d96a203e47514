-- before
CREATE TABLE t (a int);
-- up
CREATE TABLE IF NOT EXISTS t (a int, b int);
CREATE TABLE IF NOT EXISTS u (a int);
-- expect down
DROP TABLE IF EXISTS u CASCADE;
-- expect how: statements
