-- before
CREATE TABLE t (a int, b text);
-- up
CREATE TABLE copied AS SELECT a, upper(b) AS b FROM t;
SELECT a INTO chosen FROM t WHERE a > 1;
-- expect down
DROP TABLE IF EXISTS chosen CASCADE;
DROP TABLE IF EXISTS copied CASCADE;
-- expect how: text
