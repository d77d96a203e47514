-- setup
CREATE TABLE base (a int);
CREATE TABLE child (a int);
-- up
ALTER TABLE child INHERIT base;
-- expect down
ALTER TABLE child NO INHERIT base;
