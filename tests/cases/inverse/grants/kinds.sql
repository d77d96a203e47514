-- setup
CREATE SEQUENCE q;
CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE SCHEMA s;
CREATE TYPE mood AS ENUM ('a');
DROP ROLE IF EXISTS "Inverse reader";
CREATE ROLE "Inverse reader";
-- up
GRANT USAGE ON SCHEMA s TO "Inverse reader";
GRANT EXECUTE ON FUNCTION f(int) TO "Inverse reader";
GRANT ALL PRIVILEGES ON SEQUENCE q TO "Inverse reader" GRANTED BY CURRENT_USER;
GRANT USAGE ON TYPE mood TO "Inverse reader";
GRANT SELECT ON ALL TABLES IN SCHEMA s, public TO "Inverse reader";
GRANT USAGE ON LANGUAGE sql TO "Inverse reader";
-- expect down
REVOKE USAGE ON LANGUAGE sql FROM "Inverse reader";
REVOKE SELECT ON ALL TABLES IN SCHEMA s, public FROM "Inverse reader";
REVOKE USAGE ON TYPE mood FROM "Inverse reader";
REVOKE ALL ON SEQUENCE q FROM "Inverse reader" GRANTED BY CURRENT_USER;
REVOKE EXECUTE ON FUNCTION f(int) FROM "Inverse reader";
REVOKE USAGE ON SCHEMA s FROM "Inverse reader";
