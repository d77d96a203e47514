CREATE FUNCTION add(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT a - b';
CREATE OR REPLACE FUNCTION add(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT a + b';
ALTER FUNCTION add(int, int) IMMUTABLE;
COMMENT ON FUNCTION add IS 'Adds';
-- expect down
DROP FUNCTION IF EXISTS add(int, int);
