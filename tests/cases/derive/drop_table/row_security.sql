-- before
CREATE TABLE note (id int, tenant text);
ALTER TABLE note ENABLE ROW LEVEL SECURITY;
ALTER TABLE note FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON note AS RESTRICTIVE FOR UPDATE TO derive_reader USING (tenant = current_user) WITH CHECK (id > 0);
-- up
DROP TABLE note;
-- expect down
CREATE TABLE note (
    id integer,
    tenant text
);
ALTER TABLE note ENABLE ROW LEVEL SECURITY;
ALTER TABLE note FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON note AS RESTRICTIVE FOR UPDATE TO derive_reader USING ((tenant = CURRENT_USER)) WITH CHECK ((id > 0));
-- expect how: statements
-- expect rows: 1: the rows of table note: they are gone with it
