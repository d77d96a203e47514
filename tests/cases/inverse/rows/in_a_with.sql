WITH gone AS (DELETE FROM orders RETURNING id) INSERT INTO deleted SELECT id FROM gone;
WITH x AS (UPDATE orders SET a = 1 RETURNING a) SELECT * FROM x;
-- expect irreversible: 1: which rows of deleted are the inserted ones: the query's result is not in the text; the deleted rows of orders: DELETE keeps none of them
-- expect irreversible: 2: what a of orders held before: UPDATE keeps no old values
