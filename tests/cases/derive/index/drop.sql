-- before
CREATE TABLE t (a int, b text);
CREATE INDEX i ON t USING btree (b text_pattern_ops DESC NULLS LAST) WITH (fillfactor = 70) WHERE a > 3;
CREATE UNIQUE INDEX j ON t ((lower(b)), a);
ALTER INDEX j ALTER COLUMN 1 SET STATISTICS 77;
-- up
DROP INDEX i, j;
-- expect down
CREATE INDEX i ON t (b text_pattern_ops DESC NULLS LAST) WITH (fillfactor='70') WHERE (a > 3);
CREATE UNIQUE INDEX j ON t (lower(b), a);
ALTER INDEX j ALTER COLUMN 1 SET STATISTICS 77;
-- expect how: statements
