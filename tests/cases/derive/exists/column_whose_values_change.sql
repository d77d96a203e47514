-- before
CREATE TABLE t (a int, c int);
-- up
ALTER TABLE t ADD COLUMN IF NOT EXISTS c int;
UPDATE t SET c = 1;
-- expect how: statements
-- expect rows: 2: what c of t held before: UPDATE keeps no old values
