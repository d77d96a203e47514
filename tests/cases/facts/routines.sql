-- case: a function
-- do
CREATE FUNCTION app.g(a integer, VARIADIC b text[]) RETURNS TABLE (c integer, d text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = app, pg_temp COST 7 ROWS 5
    AS $$ SELECT 1, 'a:b %s'; $$;

-- case: a function's body
-- do
CREATE OR REPLACE FUNCTION app.f(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 2';

-- case: a function's language
-- do
CREATE OR REPLACE FUNCTION app.f(a integer) RETURNS integer LANGUAGE plpgsql
    AS 'BEGIN RETURN 1; END';

-- case: a function's volatility
-- do
ALTER FUNCTION app.f IMMUTABLE;

-- case: a strict function
-- do
ALTER FUNCTION app.f STRICT;

-- case: a function with its definer's privileges
-- do
ALTER FUNCTION app.f SECURITY DEFINER;

-- case: a leakproof function
-- do
ALTER FUNCTION app.f LEAKPROOF;

-- case: a function's cost
-- do
ALTER FUNCTION app.f COST 55;

-- case: a function's rows
CREATE FUNCTION app.g() RETURNS SETOF integer LANGUAGE sql AS 'SELECT 1';
-- do
ALTER FUNCTION app.g ROWS 5;

-- case: a parallel function
-- do
ALTER FUNCTION app.f PARALLEL SAFE;

-- case: a function's settings
-- do
ALTER FUNCTION app.f SET work_mem = '5MB';
ALTER FUNCTION app.f SET search_path = app, public;

-- case: a function's support
CREATE FUNCTION app.g(text, text) RETURNS boolean LANGUAGE internal STRICT IMMUTABLE AS 'textlike';
-- do
ALTER FUNCTION app.g SUPPORT pg_catalog.textlike_support;

-- case: a function's argument renamed
-- do
DROP FUNCTION app.f;
CREATE FUNCTION app.f(b integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';

-- case: a function's default
-- do
CREATE OR REPLACE FUNCTION app.f(a integer DEFAULT 5) RETURNS integer LANGUAGE sql AS 'SELECT 1';

-- case: a function's other default
CREATE FUNCTION app.g(a integer DEFAULT 5) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- do
CREATE OR REPLACE FUNCTION app.g(a integer DEFAULT 6) RETURNS integer LANGUAGE sql AS 'SELECT 1';

-- case: a function's argument out
CREATE FUNCTION app.g(a integer, OUT b integer) LANGUAGE sql AS 'SELECT 1';
-- do
DROP FUNCTION app.g;
CREATE FUNCTION app.g(a integer, OUT c integer) LANGUAGE sql AS 'SELECT 1';

-- case: a function's argument in
-- do
DROP FUNCTION app.f;
CREATE FUNCTION app.f(a bigint) RETURNS integer LANGUAGE sql AS 'SELECT 1';

-- case: a function's result
CREATE VIEW app.v AS SELECT app.f(1) AS f;
GRANT EXECUTE ON FUNCTION app.f TO fp_reader;
COMMENT ON FUNCTION app.f IS 'f';
-- do
DROP VIEW app.v;
DROP FUNCTION app.f;
CREATE FUNCTION app.f(a integer) RETURNS bigint LANGUAGE sql AS 'SELECT 1';

-- case: a function of a SET of rows
-- do
DROP FUNCTION app.f;
CREATE FUNCTION app.f(a integer) RETURNS SETOF integer LANGUAGE sql AS 'SELECT 1';

-- case: a window function
-- do
CREATE FUNCTION app.numbered() RETURNS bigint LANGUAGE internal WINDOW AS 'window_row_number';

-- case: a function with a body of SQL
CREATE FUNCTION app.g(a integer) RETURNS bigint LANGUAGE sql
    BEGIN ATOMIC SELECT count(*) FROM app.orders WHERE customer = a; END;
-- do
CREATE OR REPLACE FUNCTION app.g(a integer) RETURNS bigint LANGUAGE sql
    BEGIN ATOMIC SELECT count(*) FROM app.orders WHERE id = a; END;

-- case: functions with bodies of SQL on a column of another type
CREATE VIEW app.v AS SELECT customer FROM app.orders;
CREATE FUNCTION app.g(a integer) RETURNS bigint LANGUAGE sql
    BEGIN ATOMIC SELECT count(*) FROM app.v WHERE customer = a; END;
CREATE FUNCTION app.h() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT app.g(1); END;
-- do
DROP FUNCTION app.h;
DROP FUNCTION app.g;
DROP VIEW app.v;
ALTER TABLE app.orders ALTER COLUMN customer TYPE bigint;

-- case: a function with a body of SQL and its table
CREATE FUNCTION app.g(a integer) RETURNS SETOF app.orders LANGUAGE sql
    BEGIN ATOMIC SELECT * FROM app.orders WHERE id = a; END;
CREATE FUNCTION app.h(a app.orders) RETURNS numeric LANGUAGE sql IMMUTABLE RETURN a.total;
-- do
DROP FUNCTION app.g;
DROP FUNCTION app.h;
DROP TABLE app.orders;

-- case: a function renamed
CREATE VIEW app.v AS SELECT app.f(1) AS f;
-- do
ALTER FUNCTION app.f RENAME TO g;

-- case: a function in another schema
CREATE SCHEMA app_other;
-- do
ALTER FUNCTION app.f SET SCHEMA app_other;

-- case: two functions of one name
-- do
CREATE FUNCTION app.f(a text) RETURNS integer LANGUAGE sql AS 'SELECT 1';

-- case: a function that calls another
CREATE FUNCTION app.g() RETURNS integer LANGUAGE sql AS 'SELECT app.f(1)';
-- do
DROP FUNCTION app.g;
DROP FUNCTION app.f;

-- case: a procedure
-- do
CREATE PROCEDURE app.run(INOUT n integer) LANGUAGE plpgsql AS 'BEGIN n := n + 1; END';

-- case: a procedure's body
CREATE PROCEDURE app.run(n integer) LANGUAGE plpgsql AS 'BEGIN n := n + 1; END';
-- do
CREATE OR REPLACE PROCEDURE app.run(n integer) LANGUAGE plpgsql SECURITY DEFINER
    AS 'BEGIN n := n + 2; END';

-- case: a procedure with a body of SQL
-- do
CREATE PROCEDURE app.run(n integer) LANGUAGE sql BEGIN ATOMIC
    INSERT INTO app.customers VALUES (n, 'x'); DELETE FROM app.orders WHERE id = n; END;

-- case: a procedure in place of a function
-- do
DROP FUNCTION app.f;
CREATE PROCEDURE app.f(a integer) LANGUAGE sql AS 'SELECT 1';

-- case: an aggregate
-- do
CREATE AGGREGATE app.total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');

-- case: an aggregate's start
CREATE AGGREGATE app.total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
-- do
CREATE OR REPLACE AGGREGATE app.total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '5');

-- case: an aggregate's type
CREATE AGGREGATE app.total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
CREATE VIEW app.v AS SELECT app.total(id) AS n FROM app.orders;
COMMENT ON AGGREGATE app.total(integer) IS 'n';
-- do
DROP VIEW app.v;
DROP AGGREGATE app.total(integer);
CREATE AGGREGATE app.total(integer) (SFUNC = int8inc_any, STYPE = bigint, INITCOND = '0');

-- case: an aggregate's moving parts
CREATE AGGREGATE app.total(float8) (SFUNC = float8pl, STYPE = float8);
-- do
CREATE OR REPLACE AGGREGATE app.total(float8) (SFUNC = float8pl, STYPE = float8,
    MSFUNC = float8pl, MINVFUNC = float8mi, MSTYPE = float8, PARALLEL = SAFE);

-- case: an aggregate of a function of one's own
CREATE FUNCTION app.add(integer, integer) RETURNS integer LANGUAGE sql AS 'SELECT $1 + $2';
CREATE AGGREGATE app.total(integer) (SFUNC = app.add, STYPE = integer);
-- do
DROP AGGREGATE app.total(integer);
DROP FUNCTION app.add;
