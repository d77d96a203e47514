-- Description: Create attachments of purchase orders
-- Author: Sample Project
-- Created: 2026-01-12
-- Revises: 5c1e0d2b7a94

BEGIN;

CREATE TABLE po_attachments (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id UUID NOT NULL,
    purchase_order_id UUID NOT NULL REFERENCES purchase_orders (id) ON DELETE CASCADE,
    file_name TEXT NOT NULL,
    content BYTEA NOT NULL
);

CREATE INDEX idx_po_attachments_order ON po_attachments (purchase_order_id);

ALTER TABLE po_attachments ENABLE ROW LEVEL SECURITY;

CREATE POLICY po_attachments_tenant_isolation ON po_attachments
    USING (tenant_id = current_setting('app.tenant_id')::uuid);

COMMIT;
