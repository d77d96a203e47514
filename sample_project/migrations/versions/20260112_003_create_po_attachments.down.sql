-- Description: Roll back: Create attachments of purchase orders
-- Author: Sample Project
-- Created: 2026-01-12

BEGIN;

DROP POLICY IF EXISTS po_attachments_tenant_isolation ON po_attachments;

ALTER TABLE po_attachments DISABLE ROW LEVEL SECURITY;

DROP INDEX IF EXISTS idx_po_attachments_order;

DROP TABLE IF EXISTS po_attachments CASCADE;

COMMIT;
