CREATE PROCEDURE p(a int, INOUT b text) LANGUAGE plpgsql AS $$ BEGIN END; $$;
-- expect down
DROP PROCEDURE IF EXISTS p(int, text);
