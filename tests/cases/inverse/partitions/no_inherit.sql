-- setup
CREATE TABLE base (a int);
CREATE TABLE child () INHERITS (base);
-- up
ALTER TABLE child NO INHERIT base;
-- expect down
ALTER TABLE child INHERIT base;
