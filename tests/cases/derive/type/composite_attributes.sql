-- before
CREATE TYPE address AS (street text, zip int);
CREATE FUNCTION line(address) RETURNS text LANGUAGE sql AS 'SELECT $1.street';
-- up
ALTER TYPE address ADD ATTRIBUTE country text, ALTER ATTRIBUTE zip TYPE text;
ALTER TYPE address DROP ATTRIBUTE street;
-- expect down
DROP FUNCTION line(address);
ALTER TYPE address RENAME TO address_old;
CREATE TYPE address AS (street text, zip text, country text);
DROP TYPE address_old;
CREATE FUNCTION public.line(address)
 RETURNS text
 LANGUAGE sql
AS $function$SELECT $1.street$function$;
DROP FUNCTION line(address);
ALTER TYPE address DROP ATTRIBUTE country CASCADE, ALTER ATTRIBUTE zip TYPE integer CASCADE;
CREATE FUNCTION public.line(address)
 RETURNS text
 LANGUAGE sql
AS $function$SELECT $1.street$function$;
-- expect how: statements
