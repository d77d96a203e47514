ALTER TABLE t SET (fillfactor = 70), RESET (autovacuum_enabled);
ALTER TABLE t CLUSTER ON i;
ALTER TABLE t REPLICA IDENTITY NOTHING;
ALTER TABLE t SET TABLESPACE fast;
-- expect irreversible: 1: the storage parameters of table t before
-- expect irreversible: 2: the index that table t was clustered on before
-- expect irreversible: 3: the replica identity of table t before
-- expect irreversible: 4: the tablespace of table t before
