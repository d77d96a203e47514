DROP POLICY mine ON orders;
CREATE POLICY mine ON orders USING (false);
-- expect irreversible: 1: the definition of policy mine ON orders: DROP POLICY does not keep it
-- expect down
DROP POLICY IF EXISTS mine ON orders;
