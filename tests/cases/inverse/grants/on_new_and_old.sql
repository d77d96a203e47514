-- setup
CREATE SCHEMA app;
CREATE TABLE app.old (a int);
DROP ROLE IF EXISTS inverse_bob;
CREATE ROLE inverse_bob;
-- up
CREATE TABLE n (a int);
GRANT SELECT ON n, app.old TO inverse_bob;
GRANT INSERT ON app.old TO PUBLIC;
-- expect down
REVOKE INSERT ON app.old FROM PUBLIC;
REVOKE SELECT ON app.old FROM inverse_bob;
DROP TABLE IF EXISTS n CASCADE;
