-- not run: needs a foreign server
-- up
CREATE FOREIGN TABLE remote (id int) SERVER elsewhere;
-- expect down
DROP FOREIGN TABLE IF EXISTS remote CASCADE;
