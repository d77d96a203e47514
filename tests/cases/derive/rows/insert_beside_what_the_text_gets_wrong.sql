-- before
CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL);
-- up
INSERT INTO t VALUES (1, 2);
ALTER TABLE t ALTER a SET NOT NULL;
-- expect down
DELETE FROM t WHERE id = 1;
-- expect how: statements
