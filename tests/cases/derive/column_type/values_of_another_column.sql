-- before
CREATE TABLE t (a int, "B" text);
-- up
ALTER TABLE t ALTER a TYPE text USING "B", ALTER "B" TYPE varchar(9) USING t."B"::varchar(9);
-- expect down
ALTER TABLE t ALTER COLUMN a TYPE integer USING a::integer;
ALTER TABLE t ALTER COLUMN "B" TYPE text;
-- expect how: statements
-- expect rows: 1: the values of column t.a before: what USING made of them can't be undone
