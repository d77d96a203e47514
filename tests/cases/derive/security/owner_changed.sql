-- before
CREATE TABLE t (a serial);
CREATE VIEW v AS SELECT a FROM t;
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
-- up
ALTER TABLE t OWNER TO derive_owner;
ALTER VIEW v OWNER TO derive_owner;
ALTER FUNCTION f() OWNER TO derive_owner;
-- expect down
ALTER FUNCTION f() OWNER TO postgres;
ALTER VIEW v OWNER TO postgres;
ALTER TABLE t OWNER TO postgres;
-- expect how: statements
