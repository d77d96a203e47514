CREATE ROLE "Inverse role" LOGIN;
CREATE USER inverse_user PASSWORD 'secret';
ALTER ROLE inverse_user CREATEDB;
ALTER ROLE inverse_user SET search_path = app;
COMMENT ON ROLE inverse_user IS 'x';
-- expect down
DROP ROLE IF EXISTS inverse_user;
DROP ROLE IF EXISTS "Inverse role";
