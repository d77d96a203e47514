-- setup
CREATE TABLE t (id int);
CREATE INDEX i ON t (id);

-- down
DROP INDEX CONCURRENTLY i;

-- expect
-- SHARE UPDATE EXCLUSIVE on t, from line 1 of migrations/versions/1.down.sql: no other schema change and no VACUUM can run on it while the statement runs.
