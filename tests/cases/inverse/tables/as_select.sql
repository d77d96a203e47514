CREATE TABLE copy_of AS SELECT 1 AS a;
-- expect down
DROP TABLE IF EXISTS copy_of CASCADE;
