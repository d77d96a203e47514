-- before
CREATE TABLE ticket (code text, number serial);
-- up
ALTER TABLE ticket DROP COLUMN number;
-- expect down
ALTER TABLE ticket ADD COLUMN number serial;
-- expect how: statements
-- expect rows: 1: the values of column ticket.number: they are gone with it
