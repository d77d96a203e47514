DROP FUNCTION add(int, int);
CREATE OR REPLACE FUNCTION add(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT a + b';
-- expect irreversible: 1: the definition of function add(int, int): DROP FUNCTION does not keep it
-- expect down
DROP FUNCTION IF EXISTS add(int, int);
