-- before
CREATE TABLE flag (id int, active text DEFAULT 'n');
-- up
ALTER TABLE flag ALTER active DROP DEFAULT;
ALTER TABLE flag ALTER active TYPE boolean USING active = 'y';
-- expect down
ALTER TABLE flag ALTER COLUMN active TYPE text;
ALTER TABLE flag ALTER COLUMN active SET DEFAULT 'n'::text;
-- expect how: statements
-- expect rows: 2: the values of column flag.active before: what USING made of them can't be undone
