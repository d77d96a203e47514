-- before
CREATE TABLE t (a int, b text DEFAULT 'kept');
-- up
ALTER TABLE t ADD COLUMN IF NOT EXISTS b int, ADD COLUMN IF NOT EXISTS c int;
-- expect down
ALTER TABLE t DROP COLUMN c;
-- expect how: statements
