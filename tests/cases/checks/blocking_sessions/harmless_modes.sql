-- setup
CREATE TABLE t (id int);
CREATE INDEX i ON t (id);

-- session
INSERT INTO t VALUES (1);
SELECT * FROM t;

-- down
DROP INDEX CONCURRENTLY i;

-- expect
