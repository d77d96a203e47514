-- setup
CREATE TABLE t (id int);

-- down
DO 'BEGIN DELETE FROM t; END';

-- python

-- expect
-- DO block (line 1): what it does is not known; rows may be lost.
--   Make a backup first: --backup
-- run downgrade() of migrations/versions/2.down.sql: what it destroys is not known; rows may be lost.
--   Make a backup first: --backup
