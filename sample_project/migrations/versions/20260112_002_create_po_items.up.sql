-- Description: Create the lines of purchase orders
-- Author: Sample Project
-- Created: 2026-01-12
-- Revises: 20260112_001

BEGIN;

CREATE TABLE po_items (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id UUID NOT NULL,
    purchase_order_id UUID NOT NULL REFERENCES purchase_orders (id) ON DELETE CASCADE,
    sku TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    unit_price NUMERIC(12, 2) NOT NULL
);

CREATE INDEX idx_po_items_order ON po_items (purchase_order_id);

ALTER TABLE po_items ENABLE ROW LEVEL SECURITY;

CREATE POLICY po_items_tenant_isolation ON po_items
    USING (tenant_id = current_setting('app.tenant_id')::uuid);

COMMIT;
