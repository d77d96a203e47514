-- setup
CREATE TABLE orders (id int NOT NULL);
-- up
ALTER TABLE ONLY orders ADD CONSTRAINT orders_pkey PRIMARY KEY (id);
-- expect down
ALTER TABLE orders DROP CONSTRAINT orders_pkey;
