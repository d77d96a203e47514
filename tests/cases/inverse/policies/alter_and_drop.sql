ALTER POLICY mine ON app.orders USING (false);
DROP POLICY IF EXISTS mine ON app.orders;
-- expect irreversible: 1: the roles and conditions of policy mine ON app.orders before
-- expect irreversible: 2: whether it was there, and the definition of policy mine ON app.orders: DROP POLICY does not keep it
