-- setup
CREATE TABLE purchase_orders (id int PRIMARY KEY, total numeric);
INSERT INTO purchase_orders SELECT n, n FROM generate_series(1, 150) n;

-- down
ALTER TABLE purchase_orders DROP COLUMN total;

-- down
DELETE FROM purchase_orders WHERE id < 5;

-- down
DROP TABLE purchase_orders;

-- expect
-- Table purchase_orders has 150 rows. This is DESTRUCTIVE.
