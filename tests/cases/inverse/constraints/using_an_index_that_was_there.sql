ALTER TABLE orders ADD CONSTRAINT orders_pk PRIMARY KEY USING INDEX orders_id;
-- expect irreversible: 1: the definition of index orders_id: DROP CONSTRAINT drops it too
