-- setup
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
CREATE TYPE mood AS ENUM ('good');
CREATE TABLE days (day int, mood mood);
CREATE TABLE c (x int, y int);
CREATE VIEW v AS SELECT y FROM c;

-- down
DROP TYPE mood;
DROP TABLE a;
ALTER TABLE c DROP COLUMN y;

-- later
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);

-- later
CREATE TABLE days (day int, mood mood);

-- later
CREATE VIEW v AS SELECT y FROM c;

-- expect
-- 2 stays applied and uses a.
-- 3 stays applied and uses type mood.
-- 4 stays applied and uses column y of table c.
--   Roll back all of them together: alembic rollback-db 1 2 3 4, or add --with-dependants.
