-- setup
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (a int REFERENCES a);

-- down
DROP TABLE b;

-- down
DROP TABLE a;

-- expect
