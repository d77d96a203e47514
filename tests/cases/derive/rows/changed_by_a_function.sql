-- before
CREATE TABLE t (a int);
CREATE FUNCTION fill() RETURNS void LANGUAGE sql AS 'INSERT INTO t VALUES (1)';
-- up
SELECT fill();
-- expect how: statements
-- expect rows: 1: which rows a function changed, if any
