-- case: a policy
-- do
CREATE POLICY "p:%s" ON app.orders USING (id > 1);

-- case: a policy's condition
CREATE POLICY p ON app.orders USING (id > 1);
-- do
ALTER POLICY p ON app.orders USING (id > 2);

-- case: a policy's check
CREATE POLICY p ON app.orders USING (id > 1);
-- do
ALTER POLICY p ON app.orders WITH CHECK (id > 2);

-- case: a policy's command
CREATE POLICY p ON app.orders USING (id > 1);
-- do
DROP POLICY p ON app.orders;
CREATE POLICY p ON app.orders FOR SELECT USING (id > 1);

-- case: a policy that restricts
CREATE POLICY p ON app.orders USING (id > 1);
-- do
DROP POLICY p ON app.orders;
CREATE POLICY p ON app.orders AS RESTRICTIVE USING (id > 1);

-- case: a policy's roles
CREATE POLICY p ON app.orders USING (id > 1);
-- do
ALTER POLICY p ON app.orders TO fp_reader, fp_owner;

-- case: a policy renamed
CREATE POLICY p ON app.orders USING (id > 1);
COMMENT ON POLICY p ON app.orders IS 'p';
-- do
ALTER POLICY p ON app.orders RENAME TO q;

-- case: a policy of other tables and functions
CREATE FUNCTION app.me() RETURNS integer LANGUAGE sql STABLE AS 'SELECT 1';
CREATE POLICY p ON app.orders USING (customer IN (SELECT id FROM app.customers WHERE id = app.me()));
-- do
DROP POLICY p ON app.orders;
DROP FUNCTION app.me;
DROP TABLE app.customers;
