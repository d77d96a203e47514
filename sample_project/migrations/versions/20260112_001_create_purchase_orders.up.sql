-- Description: Create purchase orders
-- Author: Sample Project
-- Created: 2026-01-12
-- Revises: base

BEGIN;

CREATE TABLE purchase_orders (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id UUID NOT NULL,
    order_number TEXT NOT NULL,
    supplier TEXT NOT NULL,
    ordered_on DATE NOT NULL DEFAULT CURRENT_DATE,
    created_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    CONSTRAINT purchase_orders_number_key UNIQUE (tenant_id, order_number)
);

CREATE INDEX idx_purchase_orders_ordered_on ON purchase_orders (ordered_on);

ALTER TABLE purchase_orders ENABLE ROW LEVEL SECURITY;

CREATE POLICY purchase_orders_tenant_isolation ON purchase_orders
    USING (tenant_id = current_setting('app.tenant_id')::uuid);

COMMIT;
