-- before
CREATE TABLE animal (id int, legs int DEFAULT 4);
CREATE TABLE dog (breed text) INHERITS (animal);
-- up
ALTER TABLE animal DROP COLUMN legs;
-- expect down
ALTER TABLE animal ADD COLUMN legs integer DEFAULT 4;
ALTER TABLE dog ALTER COLUMN legs SET DEFAULT 4;
-- expect how: statements
-- expect rows: 1: the values of column animal.legs: they are gone with it
-- expect order: dog
