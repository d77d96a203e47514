-- setup
CREATE OPERATOR FAMILY fam USING btree;
-- up
ALTER OPERATOR FAMILY fam USING btree ADD OPERATOR 1 < (int, int), FUNCTION 1 (int, int) btint4cmp(int, int);
-- expect down
ALTER OPERATOR FAMILY fam USING btree DROP OPERATOR 1 (int, int), FUNCTION 1 (int, int);
