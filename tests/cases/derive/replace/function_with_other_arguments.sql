-- before
CREATE FUNCTION price(a int, b int DEFAULT 3) RETURNS int LANGUAGE sql AS 'SELECT a * b';
GRANT EXECUTE ON FUNCTION price(int, int) TO derive_reader;
REVOKE EXECUTE ON FUNCTION price(int, int) FROM PUBLIC;
-- up
DROP FUNCTION price(int, int);
CREATE FUNCTION price(a int, b int, c text DEFAULT 'x') RETURNS bigint LANGUAGE sql AS 'SELECT a::bigint * b';
-- expect down
DROP FUNCTION IF EXISTS price(int, int, text);
CREATE FUNCTION public.price(a integer, b integer DEFAULT 3)
 RETURNS integer
 LANGUAGE sql
AS $function$SELECT a * b$function$;
REVOKE EXECUTE ON FUNCTION price(integer,integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION price(integer,integer) TO derive_reader;
-- expect how: statements
