-- setup
CREATE TABLE orders (id int);
-- up
ALTER TABLE ONLY orders ADD COLUMN a int;
-- expect down
ALTER TABLE orders DROP COLUMN a;
