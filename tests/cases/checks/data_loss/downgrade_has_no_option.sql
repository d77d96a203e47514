-- setup
CREATE TABLE t (id int);
INSERT INTO t VALUES (1);

-- command
downgrade

-- down
DROP TABLE t;

-- expect
-- Table t has 1 row. This is DESTRUCTIVE.
--   Make a backup first.
