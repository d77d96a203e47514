-- before
CREATE FUNCTION price(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a * 2';
COMMENT ON FUNCTION price(int) IS 'twice';
-- up
CREATE OR REPLACE FUNCTION price(a int) RETURNS int LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public AS $$ BEGIN RETURN a * 3; END $$;
-- expect down
CREATE OR REPLACE FUNCTION public.price(a integer)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
AS $function$SELECT a * 2$function$;
-- expect how: statements
