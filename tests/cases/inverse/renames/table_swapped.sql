-- setup
CREATE TABLE t (a int);
-- up
ALTER TABLE t RENAME TO t_old;
CREATE TABLE t (a bigint);
INSERT INTO t SELECT a FROM t_old;
-- expect down
DROP TABLE IF EXISTS t CASCADE;
ALTER TABLE t_old RENAME TO t;
