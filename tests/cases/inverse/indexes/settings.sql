ALTER INDEX orders_state SET (fillfactor = 50);
ALTER INDEX orders_state ALTER COLUMN 1 SET STATISTICS 10;
-- expect irreversible: 1: the storage parameters of index orders_state before
-- expect irreversible: 2: the statistics target of column 1 before
