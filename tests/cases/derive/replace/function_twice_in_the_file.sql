-- before
CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT 'old: 100% of $1' $$;
-- up
CREATE OR REPLACE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT 'one' $$;
CREATE OR REPLACE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT 'two' $$;
-- expect down
CREATE OR REPLACE FUNCTION public.f()
 RETURNS text
 LANGUAGE sql
AS $function$ SELECT 'one' $function$;
CREATE OR REPLACE FUNCTION public.f()
 RETURNS text
 LANGUAGE sql
AS $function$ SELECT 'old: 100% of $1' $function$;
-- expect how: statements
