-- before
CREATE TABLE t (a int);
-- up
CREATE TABLE IF NOT EXISTS t (a int);
UPDATE t SET a = 1;
-- expect how: statements
-- expect rows: 2: what a of t held before: UPDATE keeps no old values
