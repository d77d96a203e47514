-- before
CREATE SCHEMA old;
CREATE TYPE old.kind AS ENUM ('x');
CREATE TABLE old.t (id int PRIMARY KEY, kind old.kind DEFAULT 'x');
CREATE FUNCTION old.f() RETURNS SETOF old.t LANGUAGE sql AS 'SELECT * FROM old.t';
CREATE TABLE keeps (id int REFERENCES old.t, kind old.kind);
COMMENT ON SCHEMA old IS 'to go';
GRANT USAGE ON SCHEMA old TO derive_reader;
-- up
DROP SCHEMA old CASCADE;
-- expect down
CREATE SCHEMA old;
CREATE TYPE old.kind AS ENUM ('x');
CREATE TABLE old.t (
    id integer NOT NULL,
    kind old.kind DEFAULT 'x'::old.kind,
    PRIMARY KEY (id)
);
CREATE FUNCTION old.f()
 RETURNS SETOF old.t
 LANGUAGE sql
AS $function$SELECT * FROM old.t$function$;
ALTER TABLE keeps ADD COLUMN kind old.kind;
ALTER TABLE keeps ADD CONSTRAINT keeps_id_fkey FOREIGN KEY (id) REFERENCES old.t(id);
GRANT USAGE ON SCHEMA old TO derive_reader;
COMMENT ON SCHEMA old IS 'to go';
-- expect how: statements
-- expect rows: 1: the values of column keeps.kind: they are gone with it; the rows of table old.t: they are gone with it
