-- not run: needs a foreign server
-- up
IMPORT FOREIGN SCHEMA far LIMIT TO (a, "B") FROM SERVER s INTO near;
-- expect down
DROP FOREIGN TABLE IF EXISTS near."B";
DROP FOREIGN TABLE IF EXISTS near.a;
