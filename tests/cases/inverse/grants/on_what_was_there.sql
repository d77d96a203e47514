-- setup
CREATE TABLE t (a int, "B" int);
CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE SCHEMA s;
DROP ROLE IF EXISTS inverse_reader;
CREATE ROLE inverse_reader;
-- up
GRANT SELECT, UPDATE (a, "B") ON t TO inverse_reader WITH GRANT OPTION;
-- expect down
REVOKE SELECT, UPDATE (a, "B") ON t FROM inverse_reader;
