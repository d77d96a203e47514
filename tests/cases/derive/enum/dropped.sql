-- before
CREATE TYPE state AS ENUM ('it''s', 'B c');
CREATE TABLE door (id int, state state);
-- up
ALTER TABLE door DROP COLUMN state;
DROP TYPE state;
-- expect down
CREATE TYPE state AS ENUM ('it''s', 'B c');
ALTER TABLE door ADD COLUMN state state;
-- expect how: statements
-- expect rows: 1: the values of column door.state: they are gone with it
