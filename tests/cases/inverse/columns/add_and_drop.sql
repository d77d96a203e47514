-- setup
CREATE TABLE orders (id int);
-- up
ALTER TABLE orders ADD COLUMN tmp int;
ALTER TABLE orders ADD CONSTRAINT tmp_check CHECK (tmp > 0);
CREATE INDEX ON orders (tmp);
ALTER TABLE orders DROP COLUMN tmp;
-- expect down
