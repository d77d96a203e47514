DROP VIEW IF EXISTS v;
CREATE OR REPLACE VIEW v AS SELECT 1 AS a;
-- expect irreversible: 1: whether it was there, and the definition of view v: DROP VIEW does not keep it
-- expect down
DROP VIEW IF EXISTS v;
