SELECT 1;
SELECT count(*), max(a) FROM (VALUES (1)) AS v (a);
-- expect down
