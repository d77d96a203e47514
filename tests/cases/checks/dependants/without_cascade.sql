-- setup
CREATE TABLE purchase_orders (id int PRIMARY KEY);
CREATE VIEW order_totals AS SELECT count(*) FROM purchase_orders;

-- down

  DROP TABLE purchase_orders;
ALTER TABLE purchase_orders DROP COLUMN total;
DROP INDEX purchase_orders_pkey;

-- expect
-- migrations/versions/1.down.sql:2:3: `DROP TABLE purchase_orders` will fail: it is still needed by view order_totals.
--   Add CASCADE, or drop it first in the down script.
-- migrations/versions/1.down.sql:3:1: `ALTER TABLE purchase_orders DROP COLUMN total` will fail: there is no column purchase_orders.total.
--   Correct the down script.
-- migrations/versions/1.down.sql:4:1: `DROP INDEX purchase_orders_pkey` will fail: constraint purchase_orders_pkey on table purchase_orders requires index purchase_orders_pkey.
--   Drop what requires it instead, in the down script.
