-- setup
CREATE TABLE t (id int, x int);

-- session
SELECT * FROM t;

-- session
UPDATE t SET x = 1;
SELECT * FROM t;

-- down
CREATE INDEX i ON t (x);

-- expect
-- Session <pid> (user <user>, idle in transaction for <time>) holds ROW EXCLUSIVE on t.
