-- since: 18
-- before
CREATE TABLE t (a int NOT NULL);
ALTER TABLE t RENAME COLUMN a TO b;
-- up
ALTER TABLE t ALTER COLUMN b DROP NOT NULL;
-- expect down
ALTER TABLE t ADD CONSTRAINT t_a_not_null NOT NULL b;
-- expect how: statements
