-- before
CREATE TABLE keep (id int);
-- up
CREATE TABLE work (id int);
INSERT INTO work SELECT id FROM keep;
CREATE INDEX keep_id ON keep (id);
DROP TABLE work;
-- expect down
DROP INDEX IF EXISTS keep_id;
-- expect how: text
