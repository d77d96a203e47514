-- setup
CREATE SCHEMA "App";
CREATE TABLE "App".t (id int, x int);
CREATE INDEX t_x ON "App".t (x);

-- down
DROP INDEX "App".t_x;

-- down
ALTER TABLE "App".t ADD COLUMN y int;

-- expect
-- ACCESS EXCLUSIVE on "App".t, from line 1 of migrations/versions/1.down.sql: nobody can read or write it until the rollback commits.
