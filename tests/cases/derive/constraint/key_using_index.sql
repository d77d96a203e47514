-- before
CREATE TABLE t (a int NOT NULL);
CREATE UNIQUE INDEX t_a ON t (a);
-- up
ALTER TABLE t ADD CONSTRAINT t_key PRIMARY KEY USING INDEX t_a;
-- expect down
ALTER TABLE t DROP CONSTRAINT t_key;
CREATE UNIQUE INDEX t_a ON t (a);
-- expect how: statements
