-- setup
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int PRIMARY KEY, x int);

-- down
DROP TABLE a;
ALTER TABLE b ADD COLUMN y int;

-- later
CREATE TABLE b (id int PRIMARY KEY);
COMMENT ON TABLE b IS 'x';

-- expect
