-- before
CREATE TABLE t (a int NOT NULL, b int);
-- up
ALTER TABLE t ALTER a DROP NOT NULL, ALTER b DROP NOT NULL;
-- expect down
ALTER TABLE t ALTER COLUMN a SET NOT NULL;
-- expect how: statements
