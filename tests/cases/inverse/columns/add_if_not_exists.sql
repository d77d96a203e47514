-- setup
CREATE TABLE orders (id int);
-- up
ALTER TABLE IF EXISTS orders ADD COLUMN IF NOT EXISTS note text;
ALTER TABLE orders ADD COLUMN IF NOT EXISTS note text;
-- expect down
ALTER TABLE IF EXISTS orders DROP COLUMN IF EXISTS note;
