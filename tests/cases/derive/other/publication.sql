-- before
CREATE TABLE t (a int PRIMARY KEY, b int);
CREATE TABLE u (a int PRIMARY KEY);
CREATE PUBLICATION feed FOR TABLE t;
-- up
ALTER PUBLICATION feed ADD TABLE u;
ALTER PUBLICATION feed SET (publish = 'insert');
CREATE PUBLICATION everything FOR ALL TABLES;
-- expect down
DROP PUBLICATION IF EXISTS everything;
ALTER PUBLICATION feed SET (publish = 'insert, update, delete, truncate');
ALTER PUBLICATION feed DROP TABLE u;
-- expect how: statements
