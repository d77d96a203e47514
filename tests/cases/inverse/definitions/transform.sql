-- not run: needs functions in C
-- up
CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION f(internal));
-- expect down
DROP TRANSFORM IF EXISTS FOR int LANGUAGE sql;
