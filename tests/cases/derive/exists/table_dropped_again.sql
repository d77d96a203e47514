-- before
CREATE TABLE t (a int);
-- up
CREATE TABLE IF NOT EXISTS t (a int);
DROP TABLE t;
-- expect down
CREATE TABLE t (
    a integer
);
-- expect how: statements
-- expect rows: 2: the rows of table t: they are gone with it
