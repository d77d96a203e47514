-- before
CREATE TABLE one (id int);
CREATE TABLE two (id int);
-- up
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['one', 'two'] LOOP
    EXECUTE format('ALTER TABLE %I ADD COLUMN made timestamptz NOT NULL DEFAULT now()', t);
    EXECUTE format('CREATE INDEX %I ON %I (made)', t || '_made', t);
  END LOOP;
END $$;
-- expect down
ALTER TABLE one DROP COLUMN made;
ALTER TABLE two DROP COLUMN made;
-- expect how: statements
-- expect rows: 1: which rows DO changed, if any
