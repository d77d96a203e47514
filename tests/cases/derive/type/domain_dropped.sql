-- before
CREATE DOMAIN positive AS int CHECK (VALUE > 0) NOT NULL;
CREATE TABLE t (s int, p positive);
-- up
DROP DOMAIN positive CASCADE;
-- expect down
CREATE DOMAIN positive AS integer;
ALTER TABLE t ADD COLUMN p positive;
ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK ((VALUE > 0));
ALTER DOMAIN positive ADD CONSTRAINT positive_not_null NOT NULL;
-- expect how: statements
-- expect rows: 1: the values of column t.p: they are gone with it
