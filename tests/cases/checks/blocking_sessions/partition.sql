-- setup
CREATE TABLE p (id int) PARTITION BY LIST (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);

-- session
SELECT * FROM p1;

-- down
DROP TABLE p;

-- expect
-- Session <pid> (user <user>, idle in transaction for <time>) holds ACCESS SHARE on p1.
