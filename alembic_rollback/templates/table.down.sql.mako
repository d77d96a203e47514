-- Description: Roll back: ${message}
-- Author: ${author}
-- Created: ${created}

BEGIN;

DROP POLICY IF EXISTS ${q(table + "_tenant_isolation")} ON ${q(table)};

ALTER TABLE ${q(table)} NO FORCE ROW LEVEL SECURITY;

ALTER TABLE ${q(table)} DISABLE ROW LEVEL SECURITY;

DROP INDEX IF EXISTS ${q("idx_" + table + "_tenant_id")};

DROP TABLE IF EXISTS ${q(table)} CASCADE;

COMMIT;
