-- setup
CREATE TABLE orders (id int PRIMARY KEY);
CREATE TABLE other (id int PRIMARY KEY);
CREATE PUBLICATION sales FOR TABLE orders;

-- down
DROP TABLE other;
DELETE FROM orders;

-- expect
