-- setup
CREATE TABLE new (id int);

-- down
ALTER TABLE new RENAME TO old;

-- down
DROP TABLE old;

-- expect
-- ACCESS EXCLUSIVE on new, from line 1 of migrations/versions/1.down.sql: nobody can read or write it until the rollback commits.
