-- before
CREATE TABLE city (id int PRIMARY KEY, mayor int);
CREATE TABLE street (id int, city int REFERENCES city);
-- up
ALTER TABLE city ALTER id TYPE bigint;
ALTER TABLE street ALTER COLUMN city SET DATA TYPE bigint;
-- expect down
ALTER TABLE street ALTER COLUMN city TYPE integer;
ALTER TABLE city ALTER COLUMN id TYPE integer;
-- expect how: statements
