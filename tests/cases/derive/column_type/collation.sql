-- before
CREATE TABLE word (w text, n int);
CREATE INDEX word_w ON word (w);
-- up
ALTER TABLE word ALTER w TYPE text COLLATE "C";
-- expect down
ALTER TABLE word ALTER COLUMN w TYPE text;
-- expect how: statements
