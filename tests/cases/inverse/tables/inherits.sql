CREATE TABLE base (id int);
CREATE TABLE child (extra int) INHERITS (base);
-- expect down
DROP TABLE IF EXISTS child CASCADE;
DROP TABLE IF EXISTS base CASCADE;
