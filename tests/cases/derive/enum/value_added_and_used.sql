-- before
CREATE TYPE state AS ENUM ('open', 'shut');
CREATE TABLE door (id int PRIMARY KEY, state state);
-- up
ALTER TYPE state ADD VALUE 'ajar';
ALTER TABLE door ALTER state SET DEFAULT 'ajar';
-- expect down
ALTER TABLE door ALTER COLUMN state DROP DEFAULT;
ALTER TYPE state RENAME TO state_old;
CREATE TYPE state AS ENUM ('open', 'shut');
ALTER TABLE door ALTER COLUMN state TYPE state USING state::text::state;
DROP TYPE state_old;
-- expect how: statements
