-- setup
CREATE TABLE a (id int PRIMARY KEY, parent int REFERENCES a);

-- down
DROP TABLE a;

-- expect
