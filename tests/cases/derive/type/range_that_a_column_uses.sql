-- before
CREATE TYPE span AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE TABLE t (s span);
-- up
DROP TYPE span CASCADE;
-- expect down
CREATE TYPE span AS RANGE (SUBTYPE = double precision, SUBTYPE_DIFF = float8mi, MULTIRANGE_TYPE_NAME = span_multirange);
ALTER TABLE t ADD COLUMN s span;
-- expect how: statements
-- expect rows: 1: the values of column t.s: they are gone with it
