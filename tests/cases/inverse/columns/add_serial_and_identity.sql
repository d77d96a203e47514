-- setup
CREATE TABLE orders (id int);
-- up
ALTER TABLE orders ADD COLUMN a serial, ADD COLUMN b int GENERATED ALWAYS AS IDENTITY;
-- expect down
ALTER TABLE orders DROP COLUMN b, DROP COLUMN a;
