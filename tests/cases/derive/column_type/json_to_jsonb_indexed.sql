-- before
CREATE TABLE doc (id int, body json);
-- up
ALTER TABLE doc ALTER body TYPE jsonb;
CREATE INDEX doc_body ON doc USING gin (body);
-- expect down
DROP INDEX IF EXISTS doc_body;
ALTER TABLE doc ALTER COLUMN body TYPE json USING body::text::json;
-- expect how: statements
