-- before
CREATE TABLE pet (id int, name text);
CREATE FUNCTION name_of(p pet) RETURNS text LANGUAGE sql AS 'SELECT $1.name';
CREATE FUNCTION pets() RETURNS SETOF pet LANGUAGE sql STABLE AS 'SELECT * FROM pet';
-- up
DROP TABLE pet CASCADE;
-- expect down
CREATE TABLE pet (
    id integer,
    name text
);
CREATE FUNCTION public.name_of(p pet)
 RETURNS text
 LANGUAGE sql
AS $function$SELECT $1.name$function$;
CREATE FUNCTION public.pets()
 RETURNS SETOF pet
 LANGUAGE sql
 STABLE
AS $function$SELECT * FROM pet$function$;
-- expect how: statements
-- expect rows: 1: the rows of table pet: they are gone with it
