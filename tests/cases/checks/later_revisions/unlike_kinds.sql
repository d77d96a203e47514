-- setup
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TABLE t (id int);
CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
CREATE SCHEMA s;
CREATE TABLE s.u (id int PRIMARY KEY);
CREATE VIEW v AS SELECT id FROM s.u;
CREATE VIEW w AS SELECT id FROM v;

-- down
DROP FUNCTION f();
DROP SCHEMA s;

-- later
CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();

-- later
CREATE TABLE s.u (id int PRIMARY KEY);

-- later
CREATE VIEW v AS SELECT id FROM s.u;

-- later
CREATE VIEW w AS SELECT id FROM v;

-- expect
-- 2 stays applied and uses function f.
-- 3 stays applied and uses schema s.
-- 4 stays applied and uses schema s.
-- 5 stays applied and uses schema s.
--   Roll back all of them together: alembic rollback-db 1 2 3 4 5, or add --with-dependants.
