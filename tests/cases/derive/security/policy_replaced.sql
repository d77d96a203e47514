-- before
CREATE TABLE t (a int, who text);
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON t USING (who = current_setting('app.tenant'));
-- up
DROP POLICY p ON t;
CREATE POLICY p ON t FOR INSERT WITH CHECK (who IS NOT NULL);
-- expect down
DROP POLICY IF EXISTS p ON t;
CREATE POLICY p ON t USING ((who = current_setting('app.tenant'::text)));
-- expect how: statements
