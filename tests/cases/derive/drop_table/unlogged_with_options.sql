-- before
CREATE UNLOGGED TABLE cache (k text COLLATE "C", v bytea) WITH (fillfactor = 70, autovacuum_enabled = false);
ALTER TABLE cache ALTER v SET STORAGE EXTERNAL, ALTER k SET STATISTICS 500;
ALTER TABLE cache REPLICA IDENTITY FULL;
-- up
DROP TABLE cache;
-- expect down
CREATE UNLOGGED TABLE cache (
    k text COLLATE "C",
    v bytea
) WITH (autovacuum_enabled=false, fillfactor=70);
ALTER TABLE cache ALTER COLUMN k SET STATISTICS 500;
ALTER TABLE cache ALTER COLUMN v SET STORAGE EXTERNAL;
ALTER TABLE cache REPLICA IDENTITY FULL;
-- expect how: statements
-- expect rows: 1: the rows of table cache: they are gone with it
