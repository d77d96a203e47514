CREATE TABLE n (a int);
CREATE ROLE inverse_younger;
GRANT SELECT ON n TO inverse_younger;
ALTER TABLE n OWNER TO inverse_younger;
-- expect down
ALTER TABLE n OWNER TO CURRENT_USER;
REVOKE SELECT ON n FROM inverse_younger;
DROP ROLE IF EXISTS inverse_younger;
DROP TABLE IF EXISTS n CASCADE;
