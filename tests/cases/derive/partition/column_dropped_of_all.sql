-- before
CREATE TABLE m (id int, note text NOT NULL, day date) PARTITION BY RANGE (day);
CREATE TABLE m_1 PARTITION OF m FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
-- up
ALTER TABLE m DROP COLUMN note;
ALTER TABLE m ADD COLUMN text text;
CREATE INDEX m_text ON m (text);
-- expect down
DROP INDEX IF EXISTS m_text;
ALTER TABLE m DROP COLUMN text;
ALTER TABLE m ADD COLUMN note text NOT NULL;
-- expect how: statements
-- expect rows: 1: the values of column m.note: they are gone with it
-- expect order: m
-- expect order: m_1
