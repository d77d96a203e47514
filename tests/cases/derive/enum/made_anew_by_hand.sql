-- before
CREATE TYPE state AS ENUM ('open', 'shut', 'gone');
CREATE TABLE door (id int, state state NOT NULL DEFAULT 'open');
-- up
ALTER TYPE state RENAME TO state_old;
CREATE TYPE state AS ENUM ('open', 'shut');
ALTER TABLE door ALTER state DROP DEFAULT;
ALTER TABLE door ALTER state TYPE state USING state::text::state;
ALTER TABLE door ALTER state SET DEFAULT 'open';
DROP TYPE state_old;
-- expect down
CREATE TYPE state_old AS ENUM ('open', 'shut', 'gone');
ALTER TABLE door ALTER COLUMN state DROP DEFAULT;
ALTER TABLE door ALTER COLUMN state TYPE state_old USING state::text::state_old;
ALTER TABLE door ALTER COLUMN state SET DEFAULT 'open'::state_old;
DROP TYPE IF EXISTS state;
ALTER TYPE state_old RENAME TO state;
-- expect how: statements
