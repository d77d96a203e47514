-- setup
CREATE TYPE pair AS (a int);
CREATE TABLE t (a int);
-- up
ALTER TABLE t OF pair;
-- expect down
ALTER TABLE t NOT OF;
