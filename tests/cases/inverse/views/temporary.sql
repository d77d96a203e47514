CREATE TEMP VIEW v AS SELECT 1 AS a;
-- expect down
