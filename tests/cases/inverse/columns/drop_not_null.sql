-- setup
CREATE TABLE orders (id int PRIMARY KEY, total numeric NOT NULL);
-- up
ALTER TABLE orders ALTER COLUMN total DROP NOT NULL;
CREATE TABLE items (id int NOT NULL);
ALTER TABLE items ALTER COLUMN id DROP NOT NULL;
-- expect down
DROP TABLE IF EXISTS items CASCADE;
-- expect irreversible: 1: whether column total was NOT NULL before, and what the constraint was called
