-- setup
CREATE TABLE orders (id int PRIMARY KEY);
CREATE PUBLICATION everything FOR ALL TABLES;

-- down
ALTER TABLE orders ADD COLUMN x int;

-- expect
-- Publication everything (0 active replication slots) publishes orders (changed): subscribers don't get schema changes.
