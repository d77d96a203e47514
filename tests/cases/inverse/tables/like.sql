-- setup
CREATE TABLE a (id int);
-- up
CREATE TABLE b (LIKE a INCLUDING ALL);
-- expect down
DROP TABLE IF EXISTS b CASCADE;
