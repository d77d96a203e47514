-- setup
CREATE TABLE old (a int);
-- up
CREATE TABLE n (a int);
INSERT INTO n SELECT a FROM old;
COPY n FROM '/dev/null';
TRUNCATE n;
-- expect down
DROP TABLE IF EXISTS n CASCADE;
