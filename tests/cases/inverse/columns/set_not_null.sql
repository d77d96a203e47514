-- setup
CREATE TABLE orders (id int, total int);
-- up
ALTER TABLE orders ALTER COLUMN total SET NOT NULL;
-- expect down
ALTER TABLE orders ALTER COLUMN total DROP NOT NULL;
