CREATE ROLE inverse_a;
CREATE ROLE inverse_b;
GRANT inverse_a TO inverse_b WITH ADMIN OPTION;
-- expect down
REVOKE inverse_a FROM inverse_b;
DROP ROLE IF EXISTS inverse_b;
DROP ROLE IF EXISTS inverse_a;
