-- before
CREATE TABLE a (tenant text);
CREATE TABLE b (tenant text);
-- up
DO $$
DECLARE r record;
BEGIN
  FOR r IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', r.tablename);
    EXECUTE format('CREATE POLICY tenant ON %I USING (tenant = current_setting(''app.tenant''))', r.tablename);
  END LOOP;
END $$;
-- expect down
DROP POLICY tenant ON a;
DROP POLICY tenant ON b;
ALTER TABLE a DISABLE ROW LEVEL SECURITY;
ALTER TABLE b DISABLE ROW LEVEL SECURITY;
-- expect how: statements
-- expect rows: 1: which rows DO changed, if any
