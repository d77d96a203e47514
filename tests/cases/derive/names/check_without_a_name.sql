-- before
CREATE TABLE orders (a int, b int, CHECK (a <> b));
-- up
ALTER TABLE orders ADD CHECK (a > b);
-- expect down
ALTER TABLE orders DROP CONSTRAINT orders_check1;
-- expect how: statements
