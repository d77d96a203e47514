-- before
CREATE TABLE t (a int, b int, c int);
CREATE STATISTICS st (dependencies) ON a, b FROM t;
ALTER STATISTICS st SET STATISTICS 300;
-- up
DROP STATISTICS st;
CREATE STATISTICS st2 ON b, c FROM t;
-- expect down
DROP STATISTICS IF EXISTS st2;
CREATE STATISTICS public.st (dependencies) ON a, b FROM t;
ALTER STATISTICS st SET STATISTICS 300;
-- expect how: statements
