-- case: an operator
CREATE FUNCTION app.same(integer, integer) RETURNS boolean LANGUAGE sql AS 'SELECT true';
-- do
CREATE OPERATOR app.=== (FUNCTION = app.same, LEFTARG = integer, RIGHTARG = integer,
    COMMUTATOR = OPERATOR(app.===), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);

-- case: an operator's function
CREATE FUNCTION app.same(integer, integer) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR app.=== (FUNCTION = app.same, LEFTARG = integer, RIGHTARG = integer);
CREATE VIEW app.v AS SELECT id OPERATOR(app.===) 5 AS x FROM app.orders;
COMMENT ON OPERATOR app.=== (integer, integer) IS 'same';
-- do
DROP VIEW app.v;
DROP OPERATOR app.=== (integer, integer);
CREATE OPERATOR app.=== (FUNCTION = int4eq, LEFTARG = integer, RIGHTARG = integer);

-- case: an operator's estimate
CREATE OPERATOR app.=== (FUNCTION = int4eq, LEFTARG = integer, RIGHTARG = integer);
-- do
ALTER OPERATOR app.=== (integer, integer) SET (RESTRICT = eqsel, JOIN = eqjoinsel);

-- case: an operator that merges
-- since: 17
CREATE OPERATOR app.=== (FUNCTION = int4eq, LEFTARG = integer, RIGHTARG = integer);
-- do
ALTER OPERATOR app.=== (integer, integer) SET (MERGES, HASHES);

-- case: operators of each other
-- do
CREATE OPERATOR app.=== (FUNCTION = int4eq, LEFTARG = integer, RIGHTARG = integer,
    NEGATOR = OPERATOR(app.!==));
CREATE OPERATOR app.!== (FUNCTION = int4ne, LEFTARG = integer, RIGHTARG = integer,
    NEGATOR = OPERATOR(app.===));

-- case: an operator family
-- do
CREATE OPERATOR FAMILY app.fam USING btree;

-- case: what is loose in an operator family
CREATE OPERATOR FAMILY app.fam USING hash;
-- do
ALTER OPERATOR FAMILY app.fam USING hash ADD OPERATOR 1 = (integer, bigint),
    FUNCTION 1 (integer, integer) hashint4(integer);

-- case: an operator class
-- do
CREATE OPERATOR CLASS app.cls FOR TYPE integer USING hash AS OPERATOR 1 =,
    FUNCTION 1 hashint4(integer);

-- case: an operator class that an index has
CREATE OPERATOR CLASS app.cls FOR TYPE integer USING hash AS OPERATOR 1 =,
    FUNCTION 1 hashint4(integer);
CREATE INDEX app_i ON app.orders USING hash (id app.cls);
COMMENT ON OPERATOR CLASS app.cls USING hash IS 'c';
-- do
DROP INDEX app.app_i;
DROP OPERATOR FAMILY app.cls USING hash CASCADE;

-- case: a default operator class
CREATE TYPE app.pair AS (a integer);
CREATE FUNCTION app.hashed(app.pair) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE OPERATOR CLASS app.cls FOR TYPE app.pair USING hash AS FUNCTION 1 app.hashed(app.pair);
-- do
DROP OPERATOR FAMILY app.cls USING hash CASCADE;
CREATE OPERATOR CLASS app.cls DEFAULT FOR TYPE app.pair USING hash
    AS FUNCTION 1 app.hashed(app.pair);

-- case: an operator class renamed
CREATE OPERATOR CLASS app.cls FOR TYPE integer USING hash AS OPERATOR 1 =,
    FUNCTION 1 hashint4(integer);
-- do
ALTER OPERATOR CLASS app.cls USING hash RENAME TO other;
ALTER OPERATOR FAMILY app.cls USING hash RENAME TO others;

-- case: a cast
CREATE TYPE app.pair AS (a integer);
CREATE FUNCTION app.to_int(app.pair) RETURNS integer LANGUAGE sql AS 'SELECT ($1).a';
-- do
CREATE CAST (app.pair AS integer) WITH FUNCTION app.to_int(app.pair);

-- case: a cast's context
CREATE TYPE app.pair AS (a integer);
CREATE CAST (app.pair AS app.orders) WITH INOUT;
COMMENT ON CAST (app.pair AS app.orders) IS 'c';
-- do
DROP CAST (app.pair AS app.orders);
CREATE CAST (app.pair AS app.orders) WITH INOUT AS IMPLICIT;

-- case: a cast of enums
CREATE TYPE app.x AS ENUM ('a'); CREATE TYPE app.y AS ENUM ('a');
CREATE CAST (app.x AS app.y) WITH INOUT AS ASSIGNMENT;
-- do
DROP TYPE app.x CASCADE;

-- case: a transform
CREATE TYPE app.pair AS (a integer);
CREATE FUNCTION app.seen(internal) RETURNS internal LANGUAGE internal IMMUTABLE
    AS 'textoverlay_no_len';
-- do
CREATE TRANSFORM FOR app.pair LANGUAGE plpgsql (FROM SQL WITH FUNCTION app.seen(internal));

-- case: a language
-- do
CREATE FUNCTION app.handler() RETURNS language_handler LANGUAGE c
    AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE TRUSTED LANGUAGE app_lang HANDLER app.handler;

-- case: a language that is trusted no more
CREATE FUNCTION app.handler() RETURNS language_handler LANGUAGE c
    AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE TRUSTED LANGUAGE app_lang HANDLER app.handler;
-- do
CREATE OR REPLACE LANGUAGE app_lang HANDLER app.handler;
COMMENT ON LANGUAGE app_lang IS 'l';
ALTER LANGUAGE app_lang OWNER TO fp_owner;

-- case: an access method
-- do
CREATE ACCESS METHOD app_tree TYPE INDEX HANDLER bthandler;
COMMENT ON ACCESS METHOD app_tree IS 'tree';

-- case: a collation
-- do
CREATE COLLATION app.plain (lc_collate = 'C', lc_ctype = 'POSIX');

-- case: a collation's locale
CREATE COLLATION app.plain (locale = 'C');
CREATE TABLE app.t (x text COLLATE app.plain);
CREATE INDEX app_i ON app.t (x COLLATE app.plain DESC);
-- do
DROP TABLE app.t;
DROP COLLATION app.plain;
CREATE COLLATION app.plain (locale = 'POSIX');

-- case: a collation renamed
CREATE COLLATION app.plain FROM "C";
CREATE TABLE app.t (x text COLLATE app.plain);
-- do
ALTER COLLATION app.plain RENAME TO bare;

-- case: a conversion
-- do
CREATE DEFAULT CONVERSION app.conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;

-- case: a conversion that is no default
CREATE DEFAULT CONVERSION app.conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
COMMENT ON CONVERSION app.conv IS 'c';
-- do
DROP CONVERSION app.conv;
CREATE CONVERSION app.conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;

-- case: a text search parser
-- do
CREATE TEXT SEARCH PARSER app.words (START = prsd_start, GETTOKEN = prsd_nexttoken,
    END = prsd_end, LEXTYPES = prsd_lextype);

-- case: a text search parser's headline
CREATE TEXT SEARCH PARSER app.words (START = prsd_start, GETTOKEN = prsd_nexttoken,
    END = prsd_end, LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH CONFIGURATION app.search (PARSER = app.words);
CREATE INDEX app_i ON app.orders USING gin (to_tsvector('app.search', note));
-- do
DROP INDEX app.app_i;
DROP TEXT SEARCH PARSER app.words CASCADE;
CREATE TEXT SEARCH PARSER app.words (START = prsd_start, GETTOKEN = prsd_nexttoken,
    END = prsd_end, LEXTYPES = prsd_lextype, HEADLINE = prsd_headline);
CREATE TEXT SEARCH CONFIGURATION app.search (PARSER = app.words);

-- case: a text search template
-- do
CREATE TEXT SEARCH TEMPLATE app.plain (INIT = dsimple_init, LEXIZE = dsimple_lexize);

-- case: a text search dictionary
-- do
CREATE TEXT SEARCH DICTIONARY app.small (TEMPLATE = simple, STOPWORDS = english);

-- case: a text search dictionary's options
CREATE TEXT SEARCH DICTIONARY app.small (TEMPLATE = simple, STOPWORDS = english);
CREATE TEXT SEARCH CONFIGURATION app.search (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION app.search ALTER MAPPING FOR word WITH app.small, simple;
COMMENT ON TEXT SEARCH DICTIONARY app.small IS 's';
-- do
ALTER TEXT SEARCH DICTIONARY app.small (STOPWORDS, ACCEPT = false);

-- case: a text search configuration
-- do
CREATE TEXT SEARCH CONFIGURATION app.search (COPY = english);

-- case: a text search configuration's mappings
CREATE TEXT SEARCH CONFIGURATION app.search (COPY = english);
-- do
ALTER TEXT SEARCH CONFIGURATION app.search DROP MAPPING FOR word;
ALTER TEXT SEARCH CONFIGURATION app.search ALTER MAPPING FOR asciiword WITH simple;

-- case: statistics
-- do
CREATE STATISTICS app.s (ndistinct) ON customer, total, (lower(note)) FROM app.orders;

-- case: statistics of other kinds
CREATE STATISTICS app.s (ndistinct) ON customer, total FROM app.orders;
COMMENT ON STATISTICS app.s IS 's';
-- do
DROP STATISTICS app.s;
CREATE STATISTICS app.s (mcv, dependencies) ON customer, total FROM app.orders;

-- case: a statistics' target
CREATE STATISTICS app.s ON customer, total FROM app.orders;
-- do
ALTER STATISTICS app.s SET STATISTICS 55;

-- case: statistics renamed
CREATE STATISTICS app.s ON customer, total FROM app.orders;
-- do
ALTER STATISTICS app.s RENAME TO t;
