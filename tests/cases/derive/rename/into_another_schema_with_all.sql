-- before
CREATE SCHEMA archive;
CREATE TABLE t (id serial PRIMARY KEY, a int);
CREATE INDEX t_a ON t (a);
CREATE VIEW v AS SELECT a FROM t;
-- up
ALTER TABLE t SET SCHEMA archive;
-- expect down
ALTER TABLE archive.t SET SCHEMA public;
-- expect how: statements
