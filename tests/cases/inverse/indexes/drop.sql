DROP INDEX app.orders_state;
DROP INDEX CONCURRENTLY IF EXISTS a, "B";
-- expect irreversible: 1: the definition of index app.orders_state: DROP INDEX does not keep it
-- expect irreversible: 2: whether it was there, and the definition of index a: DROP INDEX does not keep it; whether it was there, and the definition of index "B": DROP INDEX does not keep it
