-- before
CREATE TABLE t (a int NOT NULL, b int);
-- up
ALTER TABLE t ALTER a SET NOT NULL;
ALTER TABLE t ALTER b SET NOT NULL;
-- expect down
ALTER TABLE t ALTER COLUMN b DROP NOT NULL;
-- expect how: statements
