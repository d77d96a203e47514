-- before
CREATE TABLE t (a int);
-- up
CREATE TEMP TABLE work ON COMMIT DROP AS SELECT 1 AS a;
INSERT INTO t SELECT a FROM work;
DROP TABLE work;
ALTER TABLE t SET UNLOGGED;
-- expect down
ALTER TABLE t SET LOGGED;
-- expect how: text
-- expect rows: 2: which rows of t are the inserted ones: the query's result is not in the text
