-- setup
CREATE EXTENSION pg_trgm;
CREATE FUNCTION mine(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
-- up
ALTER EXTENSION pg_trgm ADD FUNCTION mine(int);
ALTER FUNCTION similarity(text, text) DEPENDS ON EXTENSION pg_trgm;
-- expect down
ALTER FUNCTION similarity(text, text) NO DEPENDS ON EXTENSION pg_trgm;
ALTER EXTENSION pg_trgm DROP FUNCTION mine(int);
