-- before
CREATE TABLE t (a int, b int);
-- up
CREATE OR REPLACE VIEW v AS SELECT a, b FROM t;
-- expect down
DROP VIEW v;
-- expect how: statements
