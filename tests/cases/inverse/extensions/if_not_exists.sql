CREATE EXTENSION IF NOT EXISTS "pg_trgm" WITH SCHEMA public;
-- expect irreversible: 1: whether extension pg_trgm was there before, which others may use
