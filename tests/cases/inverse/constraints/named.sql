-- setup
CREATE TABLE orders (id int NOT NULL, total int);
-- up
ALTER TABLE orders ADD CONSTRAINT orders_pk PRIMARY KEY (id);
ALTER TABLE orders ADD CONSTRAINT "Total ok" CHECK (total > 0) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT "Total ok";
-- expect down
ALTER TABLE orders DROP CONSTRAINT "Total ok";
ALTER TABLE orders DROP CONSTRAINT orders_pk;
