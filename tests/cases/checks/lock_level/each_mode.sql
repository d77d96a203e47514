-- setup
CREATE TABLE a (id int PRIMARY KEY, x int);
CREATE TABLE b (id int PRIMARY KEY);
CREATE TABLE c (id int);
CREATE MATERIALIZED VIEW m AS SELECT id FROM b;
CREATE UNIQUE INDEX ON m (id);

-- down
COMMENT ON TABLE c IS 'c';
REFRESH MATERIALIZED VIEW CONCURRENTLY m;
CREATE INDEX n ON a (x);
ALTER TABLE b DISABLE TRIGGER USER;
UPDATE c SET id = 1;

-- expect
-- EXCLUSIVE on m, from line 2 of migrations/versions/1.down.sql: it can only be read until the rollback commits.
-- SHARE ROW EXCLUSIVE on b, from line 4 of migrations/versions/1.down.sql: nobody can write to it until the rollback commits.
-- SHARE on a, from line 3 of migrations/versions/1.down.sql: nobody can write to it until the rollback commits.
-- SHARE UPDATE EXCLUSIVE on c, from line 1 of migrations/versions/1.down.sql: no other schema change and no VACUUM can run on it until the rollback commits.
