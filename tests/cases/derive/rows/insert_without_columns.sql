-- before
CREATE TABLE country (name text NOT NULL, code char(2) NOT NULL UNIQUE, size int);
-- up
INSERT INTO country VALUES ('Chad', 'TD', 1284000);
-- expect down
DELETE FROM country WHERE code = 'TD';
-- expect how: text
