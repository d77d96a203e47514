-- setup
CREATE TABLE t (id serial PRIMARY KEY);
CREATE VIEW v AS SELECT id FROM t;

-- down
DROP TABLE t CASCADE;

-- expect
-- ACCESS EXCLUSIVE on t, from line 1 of migrations/versions/1.down.sql: nobody can read or write it until the rollback commits.
-- ACCESS EXCLUSIVE on v, from migrations/versions/1.down.sql by CASCADE: nobody can read or write it until the rollback commits.
