-- Description: Roll back: Create purchase orders
-- Author: Sample Project
-- Created: 2026-01-12

BEGIN;

DROP POLICY IF EXISTS purchase_orders_tenant_isolation ON purchase_orders;

ALTER TABLE purchase_orders DISABLE ROW LEVEL SECURITY;

DROP INDEX IF EXISTS idx_purchase_orders_ordered_on;

DROP TABLE IF EXISTS purchase_orders CASCADE;

COMMIT;
