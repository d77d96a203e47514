-- before
CREATE TABLE t (a int);
-- up
SET LOCAL search_path = public;
DO $$ BEGIN ALTER TABLE t ADD b int; END $$;
ALTER TABLE t ALTER a TYPE text USING 'x' || a;
ALTER TABLE t ALTER a TYPE varchar USING a::varchar;
-- expect down
ALTER TABLE t ALTER COLUMN a TYPE text;
ALTER TABLE t ALTER COLUMN a TYPE integer USING a::integer;
ALTER TABLE t DROP COLUMN b;
-- expect how: statements
-- expect rows: 2: which rows DO changed, if any
-- expect rows: 3: the values of column t.a before: what USING made of them can't be undone
