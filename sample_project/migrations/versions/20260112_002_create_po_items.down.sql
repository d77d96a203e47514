-- Description: Roll back: Create the lines of purchase orders
-- Author: Sample Project
-- Created: 2026-01-12

BEGIN;

DROP POLICY IF EXISTS po_items_tenant_isolation ON po_items;

ALTER TABLE po_items DISABLE ROW LEVEL SECURITY;

DROP INDEX IF EXISTS idx_po_items_order;

DROP TABLE IF EXISTS po_items CASCADE;

COMMIT;
