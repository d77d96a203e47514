CREATE TYPE dots;
CREATE FUNCTION dots_in(cstring) RETURNS dots LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION dots_out(dots) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE dots (INPUT = dots_in, OUTPUT = dots_out, LIKE = int4);
-- expect down
DROP TYPE IF EXISTS dots CASCADE;
DROP FUNCTION IF EXISTS dots_out(dots);
DROP FUNCTION IF EXISTS dots_in(cstring);
DROP TYPE IF EXISTS dots;
