-- setup
CREATE TABLE t (id int);

-- down
DELETE FROM t;
DROP TABLE IF EXISTS gone;
CREATE TABLE made (id int);
DROP TABLE made;

-- python

-- expect
