CREATE TYPE span AS RANGE (SUBTYPE = float8);
-- expect down
DROP TYPE IF EXISTS span;
