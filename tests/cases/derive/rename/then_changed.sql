-- before
CREATE TABLE t (a int, b text);
-- up
ALTER TABLE t RENAME TO t2;
ALTER TABLE t2 DROP COLUMN b;
ALTER TABLE t2 ALTER a SET DEFAULT 1;
-- expect down
ALTER TABLE t2 ALTER COLUMN a DROP DEFAULT;
ALTER TABLE t2 ADD COLUMN b text;
ALTER TABLE t2 RENAME TO t;
-- expect how: statements
-- expect rows: 2: the values of column t2.b: they are gone with it
