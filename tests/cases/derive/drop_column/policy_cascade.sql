-- before
CREATE TABLE doc (id int, tenant uuid);
CREATE POLICY own ON doc USING (tenant IS NOT NULL);
-- up
ALTER TABLE doc DROP COLUMN tenant CASCADE;
-- expect down
ALTER TABLE doc ADD COLUMN tenant uuid;
CREATE POLICY own ON doc USING ((tenant IS NOT NULL));
-- expect how: statements
-- expect rows: 1: the values of column doc.tenant: they are gone with it
