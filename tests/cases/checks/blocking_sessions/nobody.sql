-- setup
CREATE TABLE t (id int);
CREATE TABLE elsewhere (id int);

-- session
LOCK TABLE elsewhere;

-- down
DROP TABLE t;

-- expect
