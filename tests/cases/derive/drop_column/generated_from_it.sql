-- before
CREATE TABLE box (a int, area int GENERATED ALWAYS AS (a * 2) STORED);
-- up
ALTER TABLE box DROP COLUMN a CASCADE;
-- expect down
ALTER TABLE box ADD COLUMN a integer;
ALTER TABLE box ADD COLUMN area integer GENERATED ALWAYS AS ((a * 2)) STORED;
-- expect how: statements
-- expect rows: 1: the values of column box.a: they are gone with it
