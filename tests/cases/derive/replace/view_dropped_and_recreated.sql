-- before
CREATE TABLE t (a int, b int);
CREATE VIEW v AS SELECT a, b FROM t;
GRANT SELECT ON v TO derive_reader;
-- up
DROP VIEW IF EXISTS v;
CREATE VIEW v AS SELECT b, a, a + b AS c FROM t;
-- expect down
DROP VIEW IF EXISTS v;
CREATE VIEW v (a, b) AS SELECT a,
    b
   FROM t;
GRANT SELECT ON TABLE v TO derive_reader;
-- expect how: statements
