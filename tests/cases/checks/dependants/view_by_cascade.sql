-- setup
CREATE TABLE purchase_orders (id int PRIMARY KEY);
CREATE TABLE po_items (po int REFERENCES purchase_orders);
CREATE VIEW order_totals AS SELECT count(*) FROM purchase_orders;

-- down
DROP TABLE purchase_orders CASCADE;

-- expect
-- CASCADE also drops view order_totals, which is not part of this rollback.
--   Its definition is kept in the log and restored when the revision is applied again.
