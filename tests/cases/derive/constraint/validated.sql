-- before
CREATE TABLE t (a int);
ALTER TABLE t ADD CONSTRAINT small CHECK (a < 10) NOT VALID;
-- up
ALTER TABLE t VALIDATE CONSTRAINT small;
-- expect down
ALTER TABLE t DROP CONSTRAINT small;
ALTER TABLE t ADD CONSTRAINT small CHECK ((a < 10)) NOT VALID;
-- expect how: statements
