CREATE FUNCTION add(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT a + b';
-- expect down
DROP FUNCTION IF EXISTS add(int, int);
