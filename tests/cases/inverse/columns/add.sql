-- setup
CREATE TABLE orders (id int);
-- up
ALTER TABLE orders ADD COLUMN total numeric NOT NULL DEFAULT 0;
-- expect down
ALTER TABLE orders DROP COLUMN total;
