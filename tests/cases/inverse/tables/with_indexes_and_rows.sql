CREATE TABLE orders (id int PRIMARY KEY, state text);
CREATE INDEX orders_state ON orders (state);
INSERT INTO orders VALUES (1, 'new');
ANALYZE orders;
COMMENT ON TABLE orders IS 'What was ordered';
COMMENT ON COLUMN orders.state IS 'new or done';
-- expect down
DROP INDEX IF EXISTS orders_state;
DROP TABLE IF EXISTS orders CASCADE;
