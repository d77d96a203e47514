-- before
CREATE TABLE t (a int, b int);
CREATE VIEW v AS SELECT a, b FROM t ORDER BY a;
-- up
DROP VIEW v;
CREATE VIEW v AS SELECT b, a FROM t ORDER BY a;
-- expect down
DROP VIEW IF EXISTS v;
CREATE VIEW v (a, b) AS SELECT a,
    b
   FROM t
  ORDER BY a;
-- expect how: statements
