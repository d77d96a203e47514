-- before
CREATE TABLE t (a int, b int);
CREATE VIEW v AS SELECT a FROM t;
CREATE VIEW above AS SELECT a + 1 AS next FROM v;
GRANT SELECT ON v TO derive_reader;
COMMENT ON VIEW v IS 'narrow';
-- up
CREATE OR REPLACE VIEW v AS SELECT a, b FROM t;
-- expect down
DROP VIEW above;
DROP VIEW v;
CREATE VIEW v (a) AS SELECT a
   FROM t;
CREATE VIEW above (next) AS SELECT (a + 1) AS next
   FROM v;
GRANT SELECT ON TABLE v TO derive_reader;
COMMENT ON VIEW v IS 'narrow';
-- expect how: statements
