-- setup
CREATE TABLE empty (id int);
CREATE TABLE stays (id int, note text);
INSERT INTO stays VALUES (1, NULL);
CREATE INDEX stays_id ON stays (id);

-- down
DROP TABLE empty;
ALTER TABLE stays DROP COLUMN note;
DROP INDEX stays_id;

-- expect
