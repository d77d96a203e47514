-- setup
CREATE TABLE orders (id int);
-- up
ALTER TABLE orders ADD COLUMN a int, ADD b text, ADD COLUMN "C d" int;
-- expect down
ALTER TABLE orders DROP COLUMN "C d", DROP COLUMN b, DROP COLUMN a;
