-- setup
CREATE TABLE orders (id int);
CREATE INDEX by_id ON orders (id);

-- down
DROP INDEX by_id;
DROP TABLE orders;

-- expect
