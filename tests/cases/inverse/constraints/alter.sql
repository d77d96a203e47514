ALTER TABLE orders ALTER CONSTRAINT orders_x DEFERRABLE;
-- expect irreversible: 1: whether constraint orders_x could be deferred before: ALTER CONSTRAINT names only what follows
