-- setup
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int PRIMARY KEY);

-- python

-- down
DROP TABLE a;

-- later
ALTER TABLE a ADD COLUMN x int;

-- later
CREATE TABLE b (id int PRIMARY KEY);

-- expect
-- 3 stays applied and uses a.
--   Roll back all of them together: alembic rollback-db 2 1 3, or add --with-dependants.
-- 4 stays applied; whether it uses what goes is not known.
