ALTER TABLE orders ADD CHECK (a > b);
-- expect irreversible: 1: the name of the CHECK: PostgreSQL has chosen it by those that are there
