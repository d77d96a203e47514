-- before
CREATE TABLE t (a int, b int);
CREATE TABLE u (a int);
CREATE TABLE w (a serial);
-- up
ALTER TABLE t ADD COLUMN c int;
UPDATE t SET c = a + b;
DELETE FROM u WHERE a > 3;
TRUNCATE w RESTART IDENTITY;
ALTER TABLE t ALTER c SET NOT NULL;
-- expect down
ALTER TABLE t DROP COLUMN c;
-- expect how: text
-- expect rows: 3: the deleted rows of u: DELETE keeps none of them
-- expect rows: 4: the rows of w: TRUNCATE keeps none of them
