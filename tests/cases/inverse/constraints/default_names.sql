-- setup
CREATE TABLE x (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE orders (id int NOT NULL, a int, b int);
-- up
ALTER TABLE orders ADD PRIMARY KEY (id);
ALTER TABLE orders ADD UNIQUE (a, b);
ALTER TABLE orders ADD FOREIGN KEY (a, b) REFERENCES x (a, b);
ALTER TABLE orders ADD CHECK (a > 0);
-- expect down
ALTER TABLE orders DROP CONSTRAINT orders_a_check;
ALTER TABLE orders DROP CONSTRAINT orders_a_b_fkey;
ALTER TABLE orders DROP CONSTRAINT orders_a_b_key;
ALTER TABLE orders DROP CONSTRAINT orders_pkey;
