-- setup
CREATE TABLE orders (id int);
-- up
ALTER TABLE orders ADD COLUMN state text;
UPDATE orders SET state = 'new';
ALTER TABLE orders ALTER COLUMN state SET DEFAULT 'new';
ALTER TABLE orders ALTER COLUMN state SET NOT NULL;
COMMENT ON COLUMN orders.state IS 'new or done';
-- expect down
ALTER TABLE orders DROP COLUMN state;
