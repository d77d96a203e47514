-- before
CREATE SCHEMA shop;
CREATE TABLE shop.product (id serial PRIMARY KEY, name text NOT NULL, price int DEFAULT 1);
CREATE TABLE product (id int);
-- up
ALTER TABLE shop.product ALTER name DROP NOT NULL, DROP COLUMN price;
CREATE INDEX ON shop.product (name);
CREATE TYPE shop.kind AS ENUM ('a');
ALTER TABLE shop.product ADD COLUMN kind shop.kind;
-- expect down
ALTER TABLE shop.product DROP COLUMN kind;
DROP TYPE IF EXISTS shop.kind;
DROP INDEX IF EXISTS shop.product_name_idx;
ALTER TABLE shop.product ALTER COLUMN name SET NOT NULL;
ALTER TABLE shop.product ADD COLUMN price integer DEFAULT 1;
-- expect how: statements
-- expect rows: 1: the values of column shop.product.price: they are gone with it
