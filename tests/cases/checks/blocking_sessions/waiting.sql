-- setup
CREATE TABLE t (id int);
CREATE TABLE other (id int);

-- session
SELECT * FROM other, t;

-- waiting
LOCK TABLE t IN ACCESS EXCLUSIVE MODE;

-- down
ALTER TABLE t ADD COLUMN x int;
ALTER TABLE other ADD COLUMN x int;

-- expect
-- Session <pid> (user <user>, idle in transaction for <time>) holds ACCESS SHARE on t and other.
-- Session <pid> (user <user>, active for <time>) waits for ACCESS EXCLUSIVE on t.
