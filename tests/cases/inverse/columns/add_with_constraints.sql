-- setup
CREATE TABLE x (id int PRIMARY KEY);
CREATE TABLE orders (id int);
-- up
ALTER TABLE orders ADD COLUMN a int UNIQUE CHECK (a > 0) REFERENCES x;
-- expect down
ALTER TABLE orders DROP COLUMN a;
