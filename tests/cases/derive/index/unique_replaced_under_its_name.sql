-- before
CREATE TABLE t (a int, b int);
CREATE UNIQUE INDEX t_key ON t (a);
-- up
DROP INDEX t_key;
CREATE UNIQUE INDEX t_key ON t (a, b) WHERE b > 0;
ALTER INDEX t_key RENAME TO t_key_2;
-- expect down
ALTER INDEX t_key_2 RENAME TO t_key;
DROP INDEX IF EXISTS t_key;
CREATE UNIQUE INDEX t_key ON t (a);
-- expect how: statements
