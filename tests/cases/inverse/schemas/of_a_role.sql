-- setup
DROP ROLE IF EXISTS inverse_owner;
CREATE ROLE inverse_owner;
-- up
CREATE SCHEMA AUTHORIZATION inverse_owner;
-- expect down
DROP SCHEMA IF EXISTS inverse_owner;
