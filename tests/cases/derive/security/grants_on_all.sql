-- before
CREATE SCHEMA api;
CREATE TABLE api.t (a int);
CREATE TABLE api.u (a int);
GRANT SELECT ON api.u TO derive_reader;
-- up
GRANT USAGE ON SCHEMA api TO derive_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA api TO derive_reader;
-- expect down
REVOKE SELECT ON TABLE api.t FROM derive_reader;
REVOKE USAGE ON SCHEMA api FROM derive_reader;
-- expect how: statements
