-- before
CREATE TYPE state AS ENUM ('open', 'shut');
CREATE TABLE door (id int, state state DEFAULT 'open', past state[] DEFAULT '{}', CONSTRAINT live CHECK (state <> 'shut'));
CREATE INDEX door_open ON door (id) WHERE state = 'open';
CREATE VIEW open_doors AS SELECT id, state FROM door WHERE state = 'open'::state;
CREATE FUNCTION is_open(s state) RETURNS boolean LANGUAGE sql AS $$ SELECT s = 'open' $$;
COMMENT ON TYPE state IS 'of a door';
GRANT USAGE ON TYPE state TO derive_reader;
-- up
ALTER TYPE state ADD VALUE IF NOT EXISTS 'ajar';
ALTER TYPE state ADD VALUE IF NOT EXISTS 'open';
-- expect down
DROP INDEX door_open;
ALTER TABLE door DROP CONSTRAINT live;
DROP VIEW open_doors;
ALTER TABLE door ALTER COLUMN state DROP DEFAULT;
ALTER TABLE door ALTER COLUMN past DROP DEFAULT;
DROP FUNCTION is_open(state);
ALTER TYPE state RENAME TO state_old;
CREATE TYPE state AS ENUM ('open', 'shut');
ALTER TABLE door ALTER COLUMN state TYPE state USING state::text::state;
ALTER TABLE door ALTER COLUMN past TYPE state[] USING past::text::state[];
DROP TYPE state_old;
CREATE FUNCTION public.is_open(s state)
 RETURNS boolean
 LANGUAGE sql
AS $function$ SELECT s = 'open' $function$;
ALTER TABLE door ALTER COLUMN state SET DEFAULT 'open'::state;
ALTER TABLE door ALTER COLUMN past SET DEFAULT '{}'::state[];
CREATE VIEW open_doors (id, state) AS SELECT id,
    state
   FROM door
  WHERE (state = 'open'::state);
ALTER TABLE door ADD CONSTRAINT live CHECK ((state <> 'shut'::state));
CREATE INDEX door_open ON door (id) WHERE (state = 'open'::state);
GRANT USAGE ON TYPE state TO derive_reader;
COMMENT ON TYPE state IS 'of a door';
-- expect how: statements
