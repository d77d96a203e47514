-- before
CREATE TYPE pair AS (a int, b int);
CREATE FUNCTION pair_of(text) RETURNS pair LANGUAGE sql AS 'SELECT 1, 2';
CREATE FUNCTION less(pair, pair) RETURNS bool LANGUAGE sql AS 'SELECT true';
CREATE CAST (text AS pair) WITH FUNCTION pair_of(text) AS ASSIGNMENT;
CREATE OPERATOR <<< (LEFTARG = pair, RIGHTARG = pair, FUNCTION = less);
-- up
DROP CAST (text AS pair);
DROP OPERATOR <<< (pair, pair);
CREATE COLLATION plain (locale = 'C');
-- expect down
DROP COLLATION IF EXISTS plain;
CREATE OPERATOR public.<<< (FUNCTION = less, LEFTARG = pair, RIGHTARG = pair);
CREATE CAST (text AS pair) WITH FUNCTION pair_of(text) AS ASSIGNMENT;
-- expect how: statements
