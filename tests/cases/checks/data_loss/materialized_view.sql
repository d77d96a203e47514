-- setup
CREATE TABLE t (id int);
INSERT INTO t VALUES (1), (2);
CREATE MATERIALIZED VIEW m AS SELECT id FROM t;

-- down
DROP MATERIALIZED VIEW m;

-- expect
-- Materialized view m has 2 rows. This is DESTRUCTIVE.
