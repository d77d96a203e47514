-- setup
CREATE TABLE orders (id int NOT NULL, code int);
-- up
CREATE UNIQUE INDEX orders_code ON orders (code);
ALTER TABLE orders ADD UNIQUE USING INDEX orders_code;
CREATE UNIQUE INDEX orders_id ON orders (id);
ALTER TABLE orders ADD CONSTRAINT orders_pk PRIMARY KEY USING INDEX orders_id;
-- expect down
ALTER TABLE orders DROP CONSTRAINT orders_pk;
DROP INDEX IF EXISTS orders_id;
ALTER TABLE orders DROP CONSTRAINT orders_code;
DROP INDEX IF EXISTS orders_code;
