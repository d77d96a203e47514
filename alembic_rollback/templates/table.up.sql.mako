-- Description: ${message}
-- Author: ${author}
-- Created: ${created}
-- Revises: ${revises or "base"}

BEGIN;

CREATE TABLE ${q(table)} (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT NOW()
);

CREATE INDEX ${q("idx_" + table + "_tenant_id")} ON ${q(table)} (tenant_id);

ALTER TABLE ${q(table)} ENABLE ROW LEVEL SECURITY;

-- Without FORCE the table's owner, often the application itself, sees every tenant's rows.
ALTER TABLE ${q(table)} FORCE ROW LEVEL SECURITY;

CREATE POLICY ${q(table + "_tenant_isolation")} ON ${q(table)}
    USING (tenant_id = current_setting('app.tenant_id')::uuid);

COMMIT;
