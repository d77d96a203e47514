-- setup
CREATE TYPE mood AS ENUM ('good');
CREATE TABLE days (day int, mood mood);
CREATE VIEW moods AS SELECT mood FROM days;
CREATE TABLE t (id int, x int);
CREATE INDEX t_x ON t (x);

-- down
DROP TYPE mood CASCADE;

-- down
ALTER TABLE t DROP COLUMN x;

-- later
CREATE TABLE days (day int, mood mood);

-- later
CREATE VIEW moods AS SELECT mood FROM days;

-- later
CREATE INDEX t_x ON t (x);

-- expect
-- 3 stays applied and uses type mood.
-- 4 stays applied and uses type mood.
-- 5 stays applied and uses column x of table t.
--   Roll back all of them together: alembic rollback-db 2 1 3 4 5, or add --with-dependants.
