-- setup
CREATE TABLE p (id int) PARTITION BY LIST (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);

-- down
DROP TABLE p;

-- expect
-- ACCESS EXCLUSIVE on p, from line 1 of migrations/versions/1.down.sql: nobody can read or write it until the rollback commits.
