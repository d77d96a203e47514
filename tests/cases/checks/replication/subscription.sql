-- setup
CREATE TABLE orders (id int PRIMARY KEY, note text);
CREATE SUBSCRIPTION "Sales" CONNECTION 'dbname=nowhere' PUBLICATION sales WITH (connect = false, slot_name = NONE);
INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate) SELECT oid, CAST('orders' AS regclass), 'r' FROM pg_subscription;

-- down
ALTER TABLE orders DROP COLUMN note;

-- expect
-- Subscription "Sales" writes into orders (changed): it stops with an error at the next row that doesn't fit.
--   Take the table out of the publication and ALTER SUBSCRIPTION "Sales" REFRESH PUBLICATION, or ALTER SUBSCRIPTION "Sales" DISABLE.
