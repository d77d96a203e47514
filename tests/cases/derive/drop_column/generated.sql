-- before
CREATE TABLE box (a int, b int, area int GENERATED ALWAYS AS (a * b) STORED);
-- up
ALTER TABLE box DROP COLUMN area;
-- expect down
ALTER TABLE box ADD COLUMN area integer GENERATED ALWAYS AS ((a * b)) STORED;
-- expect how: statements
