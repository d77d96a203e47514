-- before
CREATE PROCEDURE p(INOUT a int) LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
-- up
CREATE OR REPLACE PROCEDURE p(INOUT a int) LANGUAGE sql AS 'SELECT 2';
DROP AGGREGATE total(int);
-- expect down
CREATE AGGREGATE public.total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
CREATE OR REPLACE PROCEDURE public.p(INOUT a integer)
 LANGUAGE sql
AS $procedure$SELECT 1$procedure$;
-- expect how: statements
