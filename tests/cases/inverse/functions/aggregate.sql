CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE AGGREGATE how_many(*) (SFUNC = int8inc, STYPE = bigint, INITCOND = '0');
CREATE AGGREGATE old_total (BASETYPE = int, SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE AGGREGATE middle(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
COMMENT ON AGGREGATE how_many(*) IS 'All of them';
-- expect down
DROP AGGREGATE IF EXISTS middle(float8, anyelement);
DROP AGGREGATE IF EXISTS old_total(int);
DROP AGGREGATE IF EXISTS how_many(*);
DROP AGGREGATE IF EXISTS total(int);
