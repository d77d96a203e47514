-- case: an enum
-- do
CREATE TYPE app.state AS ENUM ('new', 'do''ne', '%s:');

-- case: a label
CREATE TYPE app.state AS ENUM ('new', 'done');
CREATE TABLE app.t (s app.state);
-- do
ALTER TYPE app.state ADD VALUE 'open' BEFORE 'done';

-- case: a label that is used
CREATE TYPE app.state AS ENUM ('new', 'open', 'done');
CREATE TABLE app.t (s app.state DEFAULT 'open', n app.state[] DEFAULT '{open}',
    CONSTRAINT c CHECK (s <> 'open'));
CREATE INDEX app_i ON app.t (s) WHERE s = 'open';
CREATE VIEW app.v AS SELECT s FROM app.t WHERE s = 'open';
-- do
DROP VIEW app.v;
DROP TABLE app.t;
DROP TYPE app.state;
CREATE TYPE app.state AS ENUM ('new', 'done');
CREATE TABLE app.t (s app.state DEFAULT 'new', n app.state[] DEFAULT '{new}',
    CONSTRAINT c CHECK (s <> 'new'));
CREATE INDEX app_i ON app.t (s) WHERE s = 'new';
CREATE VIEW app.v AS SELECT s FROM app.t WHERE s = 'new';

-- case: labels in another order
CREATE TYPE app.state AS ENUM ('new', 'done');
CREATE TABLE app.t (s app.state);
-- do
DROP TABLE app.t;
DROP TYPE app.state;
CREATE TYPE app.state AS ENUM ('done', 'new');
CREATE TABLE app.t (s app.state);

-- case: a label renamed
CREATE TYPE app.state AS ENUM ('new', 'done');
CREATE TABLE app.t (s app.state DEFAULT 'new');
CREATE VIEW app.v AS SELECT s FROM app.t WHERE s = 'new';
-- do
ALTER TYPE app.state RENAME VALUE 'new' TO 'fresh';

-- case: a label more of an enum with everything on it
CREATE TYPE app.state AS ENUM ('new', 'done');
COMMENT ON TYPE app.state IS 'state';
GRANT USAGE ON TYPE app.state TO fp_reader;
ALTER TYPE app.state OWNER TO fp_owner;
CREATE DOMAIN app.mood AS app.state DEFAULT 'new' CONSTRAINT c CHECK (VALUE <> 'done');
CREATE TYPE app.pair AS (s app.state, n integer);
CREATE TABLE app.t (id integer, s app.state DEFAULT 'new' NOT NULL, a app.state[] DEFAULT '{new}',
    d app.mood, p app.pair, CONSTRAINT c CHECK (s <> 'done' OR id > 0), UNIQUE (s));
CREATE INDEX app_i ON app.t (s, id) WHERE s = 'new';
COMMENT ON INDEX app.app_i IS 'i';
COMMENT ON CONSTRAINT c ON app.t IS 'c';
GRANT SELECT (s) ON app.t TO fp_reader;
COMMENT ON COLUMN app.t.s IS 's';
CREATE VIEW app.v AS SELECT s FROM app.t WHERE s = 'new';
GRANT SELECT ON app.v TO fp_reader;
CREATE MATERIALIZED VIEW app.m AS SELECT s FROM app.v;
CREATE FUNCTION app.g(s app.state) RETURNS app.state LANGUAGE sql AS 'SELECT s';
CREATE FUNCTION app.h(s app.state[]) RETURNS SETOF app.state LANGUAGE sql AS 'SELECT s[1]';
ALTER FUNCTION app.g OWNER TO fp_owner;
CREATE POLICY p ON app.t USING (s = 'new');
CREATE TRIGGER tr BEFORE INSERT ON app.t FOR EACH ROW WHEN (NEW.s = 'new')
    EXECUTE FUNCTION app.touch();
CREATE STATISTICS app.st ON s, id FROM app.t;
INSERT INTO app.t VALUES (1, 'new', '{new,done}', 'new', '(done,5)');
-- do
ALTER TYPE app.state ADD VALUE 'open' BEFORE 'done';

-- case: a label more of the key of partitions
-- stuck: the type of a column that partitions go by cannot change
CREATE TYPE app.state AS ENUM ('new', 'done');
CREATE TABLE app.e (id integer, s app.state) PARTITION BY LIST (s);
CREATE TABLE app.e1 PARTITION OF app.e FOR VALUES IN ('new');
-- do
ALTER TYPE app.state ADD VALUE 'open';

-- case: a label more of a child's column
CREATE TYPE app.state AS ENUM ('new', 'done');
CREATE TABLE app.base (id integer, s app.state DEFAULT 'new');
CREATE TABLE app.child (x integer) INHERITS (app.base);
-- do
ALTER TYPE app.state ADD VALUE 'open';

-- case: a label more of a generated column
CREATE TYPE app.state AS ENUM ('new', 'done');
CREATE TABLE app.t (id integer, s app.state,
    b boolean GENERATED ALWAYS AS (s = 'new'::app.state) STORED);
-- do
ALTER TYPE app.state ADD VALUE 'open';

-- case: an enum renamed
CREATE TYPE app.state AS ENUM ('new', 'done');
CREATE TABLE app.t (s app.state DEFAULT 'new');
CREATE FUNCTION app.g(s app.state) RETURNS app.state LANGUAGE sql AS 'SELECT s';
-- do
ALTER TYPE app.state RENAME TO status;

-- case: an enum in another schema
CREATE SCHEMA app_other;
CREATE TYPE app.state AS ENUM ('new', 'done');
CREATE TABLE app.t (s app.state DEFAULT 'new');
-- do
ALTER TYPE app.state SET SCHEMA app_other;

-- case: an enum goes with what has it
CREATE TYPE app.state AS ENUM ('new', 'done');
CREATE TABLE app.t (id integer, s app.state DEFAULT 'new');
CREATE FUNCTION app.g(s app.state) RETURNS app.state LANGUAGE sql AS 'SELECT s';
-- do
DROP TYPE app.state CASCADE;

-- case: a column of text in place of an enum
CREATE TYPE app.state AS ENUM ('new', 'done');
CREATE TABLE app.t (id integer, s app.state DEFAULT 'new');
-- do
ALTER TABLE app.t ALTER COLUMN s DROP DEFAULT;
ALTER TABLE app.t ALTER COLUMN s TYPE text;
ALTER TABLE app.t ALTER COLUMN s SET DEFAULT 'new';
DROP TYPE app.state;

-- case: a composite type
-- do
CREATE TYPE app.pair AS (a integer, "B:" text COLLATE "C");

-- case: an attribute
CREATE TYPE app.pair AS (a integer);
-- do
ALTER TYPE app.pair ADD ATTRIBUTE b text;

-- case: an attribute less
CREATE TYPE app.pair AS (a integer, b text);
CREATE TABLE app.t (p app.pair);
CREATE VIEW app.v AS SELECT (p).a FROM app.t;
-- do
ALTER TYPE app.pair DROP ATTRIBUTE b;

-- case: an attribute in the middle less
CREATE TYPE app.pair AS (a integer, b text, c integer);
COMMENT ON COLUMN app.pair.c IS 'c';
-- do
ALTER TYPE app.pair DROP ATTRIBUTE b;

-- case: an attribute's type
CREATE TYPE app.pair AS (a integer, b text);
CREATE FUNCTION app.g(p app.pair) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- do
ALTER TYPE app.pair ALTER ATTRIBUTE a TYPE bigint;

-- case: an attribute's type in a table
CREATE TYPE app.pair AS (a integer, b text);
CREATE TABLE app.t (id integer, p app.pair);
CREATE VIEW app.v AS SELECT p FROM app.t;
-- do
DROP VIEW app.v;
DROP TABLE app.t;
ALTER TYPE app.pair ALTER ATTRIBUTE a TYPE bigint;
CREATE TABLE app.t (id integer, p app.pair);

-- case: an attribute renamed
CREATE TYPE app.pair AS (a integer, b text);
-- do
ALTER TYPE app.pair RENAME ATTRIBUTE b TO c;

-- case: a comment on an attribute
CREATE TYPE app.pair AS (a integer, b text);
-- do
COMMENT ON COLUMN app.pair.a IS 'a';

-- case: a domain
-- do
CREATE DOMAIN app.d AS text COLLATE "C" DEFAULT 'x' NOT NULL CONSTRAINT c CHECK (VALUE <> '');

-- case: a domain's type
CREATE DOMAIN app.d AS integer CONSTRAINT c CHECK (VALUE > 0);
CREATE TABLE app.t (d app.d DEFAULT 5);
CREATE VIEW app.v AS SELECT d FROM app.t;
-- do
DROP VIEW app.v;
DROP TABLE app.t;
DROP DOMAIN app.d;
CREATE DOMAIN app.d AS bigint CONSTRAINT c CHECK (VALUE > 0);
CREATE TABLE app.t (d app.d DEFAULT 5);

-- case: a domain's default
CREATE DOMAIN app.d AS integer;
-- do
ALTER DOMAIN app.d SET DEFAULT 5;

-- case: a domain's not null
CREATE DOMAIN app.d AS integer;
CREATE TABLE app.t (d app.d);
-- do
ALTER DOMAIN app.d SET NOT NULL;

-- case: a domain's named not null
-- since: 17
CREATE DOMAIN app.d AS integer CONSTRAINT needed NOT NULL;
-- do
ALTER DOMAIN app.d DROP NOT NULL;

-- case: a domain's check
CREATE DOMAIN app.d AS integer CONSTRAINT c CHECK (VALUE > 0);
CREATE TABLE app.t (d app.d);
CREATE VIEW app.v AS SELECT d FROM app.t;
-- do
ALTER DOMAIN app.d DROP CONSTRAINT c;
ALTER DOMAIN app.d ADD CONSTRAINT c CHECK (VALUE > 1);

-- case: a domain's check not valid
CREATE DOMAIN app.d AS integer;
-- do
ALTER DOMAIN app.d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID;

-- case: a domain's check validated
CREATE DOMAIN app.d AS integer;
ALTER DOMAIN app.d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID;
-- do
ALTER DOMAIN app.d VALIDATE CONSTRAINT c;

-- case: a domain's check renamed
CREATE DOMAIN app.d AS integer CONSTRAINT c CHECK (VALUE > 0);
COMMENT ON CONSTRAINT c ON DOMAIN app.d IS 'c';
-- do
ALTER DOMAIN app.d RENAME CONSTRAINT c TO e;

-- case: a domain's comment, owner and privileges
CREATE DOMAIN app.d AS integer;
-- do
COMMENT ON DOMAIN app.d IS 'd';
ALTER DOMAIN app.d OWNER TO fp_owner;
REVOKE USAGE ON DOMAIN app.d FROM PUBLIC;

-- case: a domain renamed
CREATE DOMAIN app.d AS integer;
CREATE TABLE app.t (d app.d);
-- do
ALTER DOMAIN app.d RENAME TO e;

-- case: a domain over a domain
CREATE DOMAIN app.d AS integer;
CREATE DOMAIN app.e AS app.d;
CREATE TABLE app.t (e app.e);
-- do
DROP TABLE app.t;
DROP DOMAIN app.e;
DROP DOMAIN app.d;

-- case: a range
-- do
CREATE TYPE app.span AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi,
    MULTIRANGE_TYPE_NAME = app.spans);

-- case: a range's difference
CREATE TYPE app.span AS RANGE (SUBTYPE = float8);
-- do
DROP TYPE app.span;
CREATE TYPE app.span AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi);

-- case: a range's collation
CREATE TYPE app.span AS RANGE (SUBTYPE = text);
-- do
DROP TYPE app.span;
CREATE TYPE app.span AS RANGE (SUBTYPE = text, COLLATION = "C");

-- case: a range in a table
CREATE TYPE app.span AS RANGE (SUBTYPE = float8);
CREATE TABLE app.t (s app.span, m app.span_multirange);
-- do
DROP TABLE app.t;
DROP TYPE app.span;

-- case: a range renamed
CREATE TYPE app.span AS RANGE (SUBTYPE = float8);
-- do
ALTER TYPE app.span RENAME TO extent;

-- case: a multirange renamed
CREATE TYPE app.span AS RANGE (SUBTYPE = float8);
-- do
ALTER TYPE app.span_multirange RENAME TO spans;

-- case: a base type
-- do
CREATE TYPE app.num;
CREATE FUNCTION app.num_in(cstring) RETURNS app.num LANGUAGE internal STRICT IMMUTABLE AS 'int4in';
CREATE FUNCTION app.num_out(app.num) RETURNS cstring LANGUAGE internal STRICT IMMUTABLE
    AS 'int4out';
CREATE TYPE app.num (INPUT = app.num_in, OUTPUT = app.num_out, LIKE = integer, CATEGORY = 'N',
    DEFAULT = '5', DELIMITER = ';');

-- case: a base type goes
CREATE TYPE app.num;
CREATE FUNCTION app.num_in(cstring) RETURNS app.num LANGUAGE internal STRICT IMMUTABLE AS 'int4in';
CREATE FUNCTION app.num_out(app.num) RETURNS cstring LANGUAGE internal STRICT IMMUTABLE
    AS 'int4out';
CREATE TYPE app.num (INPUT = app.num_in, OUTPUT = app.num_out, LIKE = integer);
CREATE TABLE app.t (n app.num);
-- do
DROP TABLE app.t;
DROP TYPE app.num CASCADE;

-- case: a shell type
-- do
CREATE TYPE app.num;

-- case: a range's collation in a table
CREATE TYPE app.span AS RANGE (SUBTYPE = text);
CREATE TABLE app.t (s app.span, m app.span_multirange, CONSTRAINT c CHECK (NOT isempty(s)));
INSERT INTO app.t VALUES ('[a,b)', '{[a,b)}');
-- do
ALTER TABLE app.t DROP CONSTRAINT c;
ALTER TABLE app.t ALTER s TYPE text, ALTER m TYPE text;
DROP TYPE app.span;
CREATE TYPE app.span AS RANGE (SUBTYPE = text, COLLATION = "C");
ALTER TABLE app.t ALTER s TYPE app.span USING s::app.span;
ALTER TABLE app.t ALTER m TYPE app.span_multirange USING m::app.span_multirange;
