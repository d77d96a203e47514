-- setup
CREATE SCHEMA app;
CREATE TYPE app."Kind" AS ENUM ('a');
-- up
CREATE FUNCTION app."F"(IN a numeric(10,2), OUT b int, INOUT c varchar(5)[], VARIADIC d app."Kind"[]) LANGUAGE sql AS $$ SELECT 1, c $$;
CREATE FUNCTION app.t(at timestamptz, d double precision) RETURNS TABLE (x int, y text) LANGUAGE sql AS $$ SELECT 1, 'a' $$;
-- expect down
DROP FUNCTION IF EXISTS app.t(timestamptz, double precision);
DROP FUNCTION IF EXISTS app."F"(numeric, varchar[], app."Kind"[]);
