SELECT 1 AS a INTO made_by_select;
-- expect down
DROP TABLE IF EXISTS made_by_select CASCADE;
