-- setup
CREATE SCHEMA app;
CREATE TABLE app."order" (id int);
-- up
CREATE POLICY "Only mine" ON app."order" FOR SELECT TO PUBLIC USING (id = 1);
-- expect down
DROP POLICY IF EXISTS "Only mine" ON app."order";
