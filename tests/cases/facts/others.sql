-- case: a schema
-- do
CREATE SCHEMA app_other;

-- case: a schema renamed
CREATE SCHEMA app_other;
CREATE TABLE app_other.t (id serial PRIMARY KEY, b text DEFAULT 'x');
CREATE VIEW app_other.v AS SELECT * FROM app_other.t;
CREATE FUNCTION app_other.f(a app_other.t) RETURNS app_other.t LANGUAGE sql AS 'SELECT $1';
CREATE INDEX app_i ON app_other.t (b);
GRANT SELECT ON app_other.v TO fp_reader;
COMMENT ON COLUMN app_other.t.b IS 'b';
-- do
ALTER SCHEMA app_other RENAME TO app_renamed;

-- case: a schema with everything goes
CREATE SCHEMA app_other AUTHORIZATION fp_owner;
GRANT USAGE ON SCHEMA app_other TO fp_reader;
CREATE TYPE app_other.state AS ENUM ('a');
CREATE TABLE app_other.t (id serial PRIMARY KEY, b app_other.state DEFAULT 'a');
CREATE VIEW app_other.v AS SELECT * FROM app_other.t;
CREATE FUNCTION app_other.f(a app_other.t) RETURNS app_other.t LANGUAGE sql AS 'SELECT $1';
-- do
DROP SCHEMA app_other CASCADE;

-- case: a schema's owner
-- do
ALTER SCHEMA app OWNER TO fp_owner;

-- case: a schema's privileges
-- do
GRANT USAGE, CREATE ON SCHEMA app TO fp_reader WITH GRANT OPTION;

-- case: a schema's comment
-- do
COMMENT ON SCHEMA app IS 'sch:%s';

-- case: owners
CREATE VIEW app.v AS SELECT 1 AS x;
CREATE MATERIALIZED VIEW app.m AS SELECT 1 AS x;
CREATE TYPE app.state AS ENUM ('a');
CREATE AGGREGATE app.n(*) (SFUNC = int8inc, STYPE = bigint, INITCOND = '0');
-- do
ALTER TABLE app.orders OWNER TO fp_owner;
ALTER VIEW app.v OWNER TO fp_owner;
ALTER MATERIALIZED VIEW app.m OWNER TO fp_owner;
ALTER TYPE app.state OWNER TO fp_owner;
ALTER FUNCTION app.f OWNER TO fp_owner;
ALTER AGGREGATE app.n(*) OWNER TO fp_owner;

-- case: an owner of a table with a serial column
CREATE TABLE app.a (id serial, b text);
GRANT SELECT ON app.a TO fp_reader;
REVOKE DELETE ON app.a FROM CURRENT_USER;
-- do
ALTER TABLE app.a OWNER TO fp_owner;

-- case: a made again table's owner
CREATE TABLE app.a (id serial, b text);
GRANT SELECT ON app.a TO fp_reader;
ALTER TABLE app.a OWNER TO fp_owner;
REVOKE DELETE ON app.a FROM fp_owner;
-- do
DROP TABLE app.a;
CREATE TABLE app.a (id serial, b text);

-- case: privileges of a table
-- do
GRANT SELECT, INSERT ON app.orders TO fp_reader;

-- case: a grant option
GRANT SELECT ON app.orders TO fp_reader;
-- do
GRANT SELECT ON app.orders TO fp_reader WITH GRANT OPTION;

-- case: an owner's privileges
-- do
REVOKE DELETE ON app.orders FROM CURRENT_USER;

-- case: no privileges
-- do
REVOKE ALL ON app.orders FROM CURRENT_USER;

-- case: privileges of everybody
-- do
GRANT SELECT ON app.orders TO PUBLIC;

-- case: privileges of maintenance
-- since: 17
-- do
GRANT MAINTAIN ON app.orders TO fp_reader;

-- case: privileges of a column
-- do
GRANT SELECT (id), UPDATE (id, note) ON app.orders TO fp_reader;

-- case: privileges of a column that may be given on
GRANT SELECT (id) ON app.orders TO fp_reader;
-- do
GRANT SELECT (id) ON app.orders TO fp_reader WITH GRANT OPTION;

-- case: privileges of a view's column
CREATE VIEW app.v AS SELECT id, note FROM app.orders;
-- do
GRANT SELECT (id) ON app.v TO fp_reader;

-- case: privileges that another role gave
-- alike: they come back as the owner's
GRANT USAGE ON SCHEMA app TO fp_owner;
GRANT SELECT ON app.orders TO fp_owner WITH GRANT OPTION;
-- do
SET ROLE fp_owner;
GRANT SELECT ON app.orders TO fp_reader;
RESET ROLE;

-- case: privileges of a function
-- do
REVOKE EXECUTE ON FUNCTION app.f FROM PUBLIC;

-- case: privileges of a sequence
CREATE SEQUENCE app.s;
-- do
GRANT USAGE, UPDATE ON SEQUENCE app.s TO fp_reader;

-- case: privileges of a type
CREATE TYPE app.state AS ENUM ('a');
-- do
REVOKE USAGE ON TYPE app.state FROM PUBLIC;

-- case: privileges of a foreign server
CREATE FOREIGN DATA WRAPPER app_fdw;
CREATE SERVER app_far FOREIGN DATA WRAPPER app_fdw;
-- do
GRANT USAGE ON FOREIGN DATA WRAPPER app_fdw TO fp_reader;
GRANT USAGE ON FOREIGN SERVER app_far TO fp_reader;

-- case: default privileges in a schema
-- do
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO fp_reader;

-- case: default privileges in a schema no more
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT, UPDATE ON TABLES TO fp_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT EXECUTE ON FUNCTIONS TO fp_owner;
CREATE TABLE app.t (id integer);
REVOKE ALL ON app.t FROM fp_reader;
CREATE TABLE app.u (id integer);
-- do
ALTER DEFAULT PRIVILEGES IN SCHEMA app REVOKE UPDATE ON TABLES FROM fp_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA app REVOKE EXECUTE ON FUNCTIONS FROM fp_owner;
DROP TABLE app.t, app.u;

-- case: default privileges of a role
CREATE ROLE app_maker;
-- do
ALTER DEFAULT PRIVILEGES FOR ROLE app_maker REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE app_maker GRANT USAGE ON TYPES TO fp_reader WITH GRANT OPTION;

-- case: a comment on a table
-- do
COMMENT ON TABLE app.orders IS E'it''s \\ 100%s :x';

-- case: another comment
COMMENT ON TABLE app.orders IS 'one';
-- do
COMMENT ON TABLE app.orders IS 'two';

-- case: a comment on a column
-- do
COMMENT ON COLUMN app.orders.note IS 'note';

-- case: a comment on a function
-- do
COMMENT ON FUNCTION app.f(integer) IS 'f';

-- case: a comment on a view and its column
CREATE VIEW app.v AS SELECT 1 AS x;
-- do
COMMENT ON VIEW app.v IS 'v';
COMMENT ON COLUMN app.v.x IS 'x';

-- case: a comment on a type
CREATE TYPE app.state AS ENUM ('a');
-- do
COMMENT ON TYPE app.state IS 's';

-- case: a publication
-- do
CREATE PUBLICATION app_pub FOR TABLE app.orders, app.customers WITH (publish = 'insert, delete');

-- case: a publication's operations
CREATE PUBLICATION app_pub FOR TABLE app.orders;
-- do
ALTER PUBLICATION app_pub SET (publish = 'insert', publish_via_partition_root = true);

-- case: a publication's tables
CREATE PUBLICATION app_pub FOR TABLE app.orders;
-- do
ALTER PUBLICATION app_pub ADD TABLE app.customers;

-- case: a publication's columns
-- since: 15
CREATE PUBLICATION app_pub FOR TABLE app.orders;
-- do
ALTER PUBLICATION app_pub SET TABLE app.orders (id, note);

-- case: a publication's rows
-- since: 15
CREATE PUBLICATION app_pub FOR TABLE app.orders;
-- do
ALTER PUBLICATION app_pub SET TABLE app.orders WHERE (id > 5);

-- case: a publication's columns of another type
-- since: 15
CREATE PUBLICATION app_pub FOR TABLE app.orders (id, customer) WHERE (customer > 5);
-- do
ALTER PUBLICATION app_pub DROP TABLE app.orders;
ALTER TABLE app.orders ALTER COLUMN customer TYPE bigint;

-- case: a publication's schemas
-- since: 15
CREATE PUBLICATION app_pub;
-- do
ALTER PUBLICATION app_pub ADD TABLES IN SCHEMA app;

-- case: a publication of everything
CREATE PUBLICATION app_pub;
COMMENT ON PUBLICATION app_pub IS 'p';
-- do
DROP PUBLICATION app_pub;
CREATE PUBLICATION app_pub FOR ALL TABLES;

-- case: a publication's generated columns
-- since: 18
CREATE PUBLICATION app_pub;
-- do
ALTER PUBLICATION app_pub SET (publish_generated_columns = stored);

-- case: a publication renamed
CREATE PUBLICATION app_pub FOR TABLE app.orders;
-- do
ALTER PUBLICATION app_pub RENAME TO app_bup;
ALTER PUBLICATION app_bup OWNER TO CURRENT_USER;

-- case: a publication's table goes
CREATE PUBLICATION app_pub FOR TABLE app.orders, app.customers;
-- do
DROP TABLE app.orders;

-- case: a foreign data wrapper
-- do
CREATE FOREIGN DATA WRAPPER app_fdw VALIDATOR postgresql_fdw_validator;

-- case: a foreign data wrapper's options
CREATE FOREIGN DATA WRAPPER app_fdw OPTIONS (debug 'true');
-- do
ALTER FOREIGN DATA WRAPPER app_fdw VALIDATOR postgresql_fdw_validator OPTIONS (DROP debug);

-- case: a server
CREATE FOREIGN DATA WRAPPER app_fdw;
-- do
CREATE SERVER app_far TYPE 'x' VERSION '1' FOREIGN DATA WRAPPER app_fdw OPTIONS (host 'a''b');

-- case: a server's options
CREATE FOREIGN DATA WRAPPER app_fdw;
CREATE SERVER app_far VERSION '1' FOREIGN DATA WRAPPER app_fdw OPTIONS (host 'a', port '5');
-- do
ALTER SERVER app_far VERSION '2' OPTIONS (DROP port, SET host 'b', ADD "User" 'u');

-- case: a server's type
CREATE FOREIGN DATA WRAPPER app_fdw;
CREATE SERVER app_far TYPE 'x' FOREIGN DATA WRAPPER app_fdw;
CREATE USER MAPPING FOR PUBLIC SERVER app_far;
CREATE FOREIGN TABLE app.ft (id integer) SERVER app_far;
-- do
DROP FOREIGN TABLE app.ft;
DROP SERVER app_far CASCADE;
CREATE SERVER app_far TYPE 'y' FOREIGN DATA WRAPPER app_fdw;

-- case: a user mapping
CREATE FOREIGN DATA WRAPPER app_fdw;
CREATE SERVER app_far FOREIGN DATA WRAPPER app_fdw;
-- do
CREATE USER MAPPING FOR fp_reader SERVER app_far OPTIONS (name 'it''s');

-- case: a user mapping's options
CREATE FOREIGN DATA WRAPPER app_fdw;
CREATE SERVER app_far FOREIGN DATA WRAPPER app_fdw;
CREATE USER MAPPING FOR PUBLIC SERVER app_far OPTIONS (name 'a');
-- do
ALTER USER MAPPING FOR PUBLIC SERVER app_far OPTIONS (SET name 'b');

-- case: a foreign table
CREATE FOREIGN DATA WRAPPER app_fdw;
CREATE SERVER app_far FOREIGN DATA WRAPPER app_fdw;
-- do
CREATE FOREIGN TABLE app.ft (id integer OPTIONS (field 'f', "Other" 'g') NOT NULL, b text DEFAULT 'x')
    SERVER app_far OPTIONS (path '/x=y', "Odd" 'it''s');

-- case: a foreign table's options
CREATE FOREIGN DATA WRAPPER app_fdw;
CREATE SERVER app_far FOREIGN DATA WRAPPER app_fdw;
CREATE FOREIGN TABLE app.ft (id integer) SERVER app_far OPTIONS (path '/x');
-- do
ALTER FOREIGN TABLE app.ft OPTIONS (SET path '/y', ADD mode 'r');

-- case: a foreign table's column options
CREATE FOREIGN DATA WRAPPER app_fdw;
CREATE SERVER app_far FOREIGN DATA WRAPPER app_fdw;
CREATE FOREIGN TABLE app.ft (id integer OPTIONS (field 'f')) SERVER app_far;
CREATE VIEW app.v AS SELECT id FROM app.ft;
-- do
ALTER FOREIGN TABLE app.ft ALTER COLUMN id OPTIONS (SET field 'g', ADD x 'y');

-- case: a foreign table's columns
CREATE FOREIGN DATA WRAPPER app_fdw;
CREATE SERVER app_far FOREIGN DATA WRAPPER app_fdw;
CREATE FOREIGN TABLE app.ft (id integer, b text) SERVER app_far;
COMMENT ON FOREIGN TABLE app.ft IS 'f';
GRANT SELECT ON app.ft TO fp_reader;
-- do
ALTER FOREIGN TABLE app.ft ALTER COLUMN id TYPE bigint, DROP COLUMN b, ADD COLUMN c text,
    ADD CONSTRAINT chk CHECK (id > 0);
ALTER FOREIGN TABLE app.ft ALTER COLUMN id SET NOT NULL;

-- case: a foreign table's server
CREATE FOREIGN DATA WRAPPER app_fdw;
CREATE SERVER app_far FOREIGN DATA WRAPPER app_fdw;
CREATE SERVER app_near FOREIGN DATA WRAPPER app_fdw;
CREATE FOREIGN TABLE app.ft (id integer) SERVER app_far;
-- do
DROP FOREIGN TABLE app.ft;
CREATE FOREIGN TABLE app.ft (id integer) SERVER app_near;

-- case: a foreign partition
CREATE FOREIGN DATA WRAPPER app_fdw;
CREATE SERVER app_far FOREIGN DATA WRAPPER app_fdw;
CREATE TABLE app.e (id integer) PARTITION BY RANGE (id);
-- do
CREATE FOREIGN TABLE app.e1 PARTITION OF app.e FOR VALUES FROM (1) TO (5) SERVER app_far;

-- case: an extension
-- do
CREATE EXTENSION lo SCHEMA app;

-- case: an extension goes with a column of its type
CREATE EXTENSION citext SCHEMA app;
CREATE TABLE app.t (id integer, c app.citext DEFAULT 'x');
CREATE INDEX app_i ON app.t (c);
COMMENT ON EXTENSION citext IS 'app''s';
-- do
DROP EXTENSION citext CASCADE;

-- case: an extension in another schema
CREATE SCHEMA app_other;
CREATE EXTENSION seg SCHEMA app;
CREATE TABLE app.t (s app.seg);
-- do
ALTER EXTENSION seg SET SCHEMA app_other;

-- case: an extension's version
CREATE EXTENSION pg_trgm SCHEMA app VERSION '1.3';
-- pg_dump: it never names a version
-- stuck: PostgreSQL only knows the way to newer versions
-- do
ALTER EXTENSION pg_trgm UPDATE TO '1.4';

-- case: what depends on an extension
CREATE EXTENSION cube SCHEMA app;
-- do
ALTER FUNCTION app.f DEPENDS ON EXTENSION cube;
