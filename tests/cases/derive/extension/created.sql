-- up
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE TABLE word (w text);
CREATE INDEX word_like ON word USING gin (w gin_trgm_ops);
-- expect down
DROP INDEX IF EXISTS word_like;
DROP TABLE IF EXISTS word CASCADE;
DROP EXTENSION pg_trgm;
-- expect how: statements
