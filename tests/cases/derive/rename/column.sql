-- before
CREATE TABLE t (a int CHECK (a > 0), b int GENERATED ALWAYS AS (a * 2) STORED);
CREATE INDEX i ON t (a) WHERE a < 100;
CREATE VIEW v AS SELECT a FROM t;
-- up
ALTER TABLE t RENAME COLUMN a TO amount;
ALTER TABLE t RENAME b TO "Twice it";
-- expect down
ALTER TABLE t RENAME COLUMN "Twice it" TO b;
ALTER TABLE t RENAME COLUMN amount TO a;
-- expect how: text
