-- before
CREATE TABLE role (id int PRIMARY KEY, name text);
CREATE TABLE old (id int, name text);
-- up
INSERT INTO role SELECT id, name FROM old;
ALTER TABLE old ADD COLUMN moved boolean;
-- expect down
ALTER TABLE old DROP COLUMN moved;
-- expect how: text
-- expect rows: 1: which rows of role are the inserted ones: the query's result is not in the text
