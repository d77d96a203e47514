-- setup
CREATE TABLE purchase_orders (id int PRIMARY KEY, total numeric);
INSERT INTO purchase_orders SELECT n, n FROM generate_series(1, 150) n;
CREATE TABLE "Items" (id int, note text);
INSERT INTO "Items" VALUES (1, 'x'), (2, NULL);

-- down
DROP TABLE purchase_orders;

-- down
ALTER TABLE "Items" DROP COLUMN note;

-- expect
-- Table purchase_orders has 150 rows. This is DESTRUCTIVE.
--   Make a backup first: --backup
-- Column note of "Items" has 1 value. This is DESTRUCTIVE.
--   Make a backup first: --backup
