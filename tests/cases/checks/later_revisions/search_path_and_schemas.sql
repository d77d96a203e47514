-- setup
CREATE SCHEMA "App";
CREATE TABLE "App".orders (id int PRIMARY KEY);
CREATE TABLE orders (id int);
CREATE TABLE "App".items (o int);

-- down
DROP TABLE "App".orders;

-- later
SET search_path = "App";
CREATE TABLE items (o int);
INSERT INTO items SELECT id FROM orders;

-- later
INSERT INTO orders VALUES (1);

-- expect
-- 2 stays applied and uses "App".orders.
--   Roll back all of them together: alembic rollback-db 1 2, or add --with-dependants.
