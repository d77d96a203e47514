ALTER PUBLICATION p SET TABLE t;
DROP PUBLICATION p;
-- expect irreversible: 1: the members and options of publication p before
-- expect irreversible: 2: the definition of publication p: DROP PUBLICATION does not keep it
