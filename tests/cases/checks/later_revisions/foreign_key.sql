-- setup
CREATE TABLE purchase_orders (id int PRIMARY KEY);
CREATE TABLE po_items (po int REFERENCES purchase_orders);
CREATE TABLE other (id int);

-- revisions
{"version": "20260112_001", "name": "create_purchase_orders", "is_pair": true}
{"version": "20260112_002", "name": "create_po_items", "is_pair": true}
{"version": "20260112_003", "name": "create_other", "is_pair": true}

-- up
CREATE TABLE purchase_orders (id int PRIMARY KEY);

-- down
DROP TABLE purchase_orders CASCADE;

-- later
CREATE TABLE po_items (po int REFERENCES purchase_orders);

-- later
CREATE TABLE other (id int);

-- expect
-- 20260112_002_create_po_items stays applied and uses purchase_orders.
--   Roll back all of them together: alembic rollback-db 20260112_001 20260112_002, or add --with-dependants.
