-- before
CREATE TABLE one (id int);
-- up
DO $$ BEGIN
  CREATE TABLE one (id int);
EXCEPTION WHEN duplicate_table THEN NULL;
END $$;
-- expect how: statements
-- expect rows: 1: which rows DO changed, if any
