SELECT 1 AS a INTO TEMP made_by_select;
-- expect down
