-- setup
CREATE TABLE orders (id int PRIMARY KEY, note text);
CREATE TABLE items (id int PRIMARY KEY);
CREATE TABLE other (id int PRIMARY KEY);
CREATE PUBLICATION sales FOR TABLE orders, items;
CREATE PUBLICATION "Others" FOR TABLE other;

-- down
DROP TABLE items;
ALTER TABLE orders DROP COLUMN note;

-- expect
-- Publication sales (0 active replication slots) publishes orders (changed) and items (dropped): subscribers don't get schema changes.
--   Make the same change there, then ALTER SUBSCRIPTION … REFRESH PUBLICATION.
