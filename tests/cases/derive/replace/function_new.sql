-- before
CREATE FUNCTION price(a text) RETURNS int LANGUAGE sql AS 'SELECT 1';
-- up
CREATE OR REPLACE FUNCTION price(a int) RETURNS int LANGUAGE sql AS 'SELECT a * 2';
-- expect down
DROP FUNCTION price(integer);
-- expect how: statements
