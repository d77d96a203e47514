ALTER EXTENSION pg_trgm UPDATE TO '1.6';
ALTER EXTENSION "uuid-ossp" SET SCHEMA app;
DROP EXTENSION IF EXISTS "uuid-ossp";
-- expect irreversible: 1: the version of extension pg_trgm before
-- expect irreversible: 2: the schema of extension "uuid-ossp" before
-- expect irreversible: 3: whether it was there, and the version and the schema of extension "uuid-ossp": DROP EXTENSION keeps neither
