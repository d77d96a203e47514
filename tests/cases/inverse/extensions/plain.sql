CREATE EXTENSION pg_trgm;
-- expect down
DROP EXTENSION IF EXISTS pg_trgm;
