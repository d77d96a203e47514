-- setup
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
CREATE TABLE c (b int REFERENCES b);

-- down
DROP TABLE a CASCADE;

-- later
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);

-- later
CREATE TABLE c (b int REFERENCES b);

-- expect
-- 2 stays applied and uses a.
--   Roll back all of them together: alembic rollback-db 1 2 3, or add --with-dependants.
