-- before
CREATE SCHEMA archive;
CREATE TABLE t (id int PRIMARY KEY, a int);
CREATE TYPE kind AS ENUM ('a');
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
-- up
ALTER TABLE t SET SCHEMA archive;
ALTER TYPE kind SET SCHEMA archive;
ALTER FUNCTION f() SET SCHEMA archive;
ALTER TABLE archive.t RENAME TO old;
-- expect down
ALTER TABLE archive.old RENAME TO t;
ALTER FUNCTION archive.f() SET SCHEMA public;
ALTER TYPE archive.kind SET SCHEMA public;
ALTER TABLE archive.t SET SCHEMA public;
-- expect how: statements
