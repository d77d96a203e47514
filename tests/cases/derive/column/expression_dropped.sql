-- before
CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a + 1) STORED);
-- up
ALTER TABLE t ALTER b DROP EXPRESSION;
-- expect down
ALTER TABLE t DROP COLUMN b;
ALTER TABLE t ADD COLUMN b integer GENERATED ALWAYS AS ((a + 1)) STORED;
-- expect how: statements
