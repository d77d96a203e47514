-- before
CREATE TABLE t (a text, b int) WITH (fillfactor = 80);
ALTER TABLE t ALTER a SET STATISTICS 42, ALTER a SET (n_distinct = 5);
-- up
ALTER TABLE t ALTER a SET STORAGE MAIN, ALTER a SET STATISTICS 100, ALTER a SET COMPRESSION pglz;
ALTER TABLE t ALTER a SET (n_distinct = -0.5);
ALTER TABLE t SET (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.01);
-- expect down
ALTER TABLE t SET (fillfactor=80);
ALTER TABLE t RESET (autovacuum_vacuum_scale_factor);
ALTER TABLE t ALTER COLUMN a SET (n_distinct=5);
ALTER TABLE t ALTER COLUMN a SET STORAGE EXTENDED;
ALTER TABLE t ALTER COLUMN a SET COMPRESSION DEFAULT;
ALTER TABLE t ALTER COLUMN a SET STATISTICS 42;
-- expect how: statements
