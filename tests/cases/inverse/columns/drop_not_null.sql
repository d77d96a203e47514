-- setup
CREATE TABLE orders (id int PRIMARY KEY, total numeric NOT NULL);
-- up
ALTER TABLE orders ALTER COLUMN total DROP NOT NULL;
-- expect down
ALTER TABLE orders ALTER COLUMN total SET NOT NULL;
