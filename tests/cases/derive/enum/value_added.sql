-- before
CREATE TYPE state AS ENUM ('open', 'shut');
CREATE TABLE door (id int, state state NOT NULL DEFAULT 'open');
-- up
ALTER TYPE state ADD VALUE 'ajar' BEFORE 'shut';
-- expect down
ALTER TABLE door ALTER COLUMN state DROP DEFAULT;
ALTER TYPE state RENAME TO state_old;
CREATE TYPE state AS ENUM ('open', 'shut');
ALTER TABLE door ALTER COLUMN state TYPE state USING state::text::state;
DROP TYPE state_old;
ALTER TABLE door ALTER COLUMN state SET DEFAULT 'open'::state;
-- expect how: statements
