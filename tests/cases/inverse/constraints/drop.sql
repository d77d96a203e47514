ALTER TABLE orders DROP CONSTRAINT "Total ok";
ALTER TABLE orders DROP CONSTRAINT IF EXISTS orders_pk CASCADE;
-- expect irreversible: 1: the definition of constraint "Total ok": DROP CONSTRAINT does not keep it
-- expect irreversible: 2: the definition of constraint orders_pk: DROP CONSTRAINT does not keep it, nor what CASCADE took with it
