-- setup
CREATE SCHEMA "App";
CREATE TABLE purchase_orders (id int PRIMARY KEY);
CREATE TABLE po_items (po int REFERENCES purchase_orders);
CREATE TABLE "App"."Invoices" (po int REFERENCES purchase_orders);

-- down
DROP TABLE purchase_orders CASCADE;

-- expect
-- Rolling back will affect: po_items, "App"."Invoices"
--   Their foreign keys go; the log keeps the definitions.
