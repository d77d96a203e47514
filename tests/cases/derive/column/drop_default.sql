-- before
CREATE TABLE t (a timestamptz DEFAULT now() + interval '1 day', b int);
-- up
ALTER TABLE t ALTER a DROP DEFAULT, ALTER b DROP DEFAULT;
-- expect down
ALTER TABLE t ALTER COLUMN a SET DEFAULT (now() + '1 day'::interval);
-- expect how: statements
