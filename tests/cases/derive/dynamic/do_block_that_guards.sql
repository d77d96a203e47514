-- before
CREATE TABLE one (id int, old text);
-- up
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_type WHERE typname = 'kind') THEN CREATE TYPE kind AS ENUM ('a'); END IF;
  IF EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'one' AND column_name = 'old') THEN
    ALTER TABLE one RENAME COLUMN old TO new;
  END IF;
END $$;
-- expect down
ALTER TABLE one RENAME COLUMN new TO old;
DROP TYPE kind;
-- expect how: statements
-- expect rows: 1: which rows DO changed, if any
