-- before
CREATE SCHEMA shop;
CREATE TABLE shop.product (id int PRIMARY KEY, name text, price int);
CREATE INDEX product_name ON shop.product (name);
-- up
SET search_path TO shop, public;
ALTER TABLE product DROP COLUMN price;
DROP INDEX product_name;
CREATE TABLE vendor (id int REFERENCES product);
CREATE FUNCTION cheap(int) RETURNS bool LANGUAGE sql AS 'SELECT $1 < 5';
-- expect down
DROP FUNCTION shop.cheap(integer);
DROP TABLE shop.vendor;
CREATE INDEX product_name ON shop.product (name);
ALTER TABLE shop.product ADD COLUMN price integer;
-- expect how: statements
-- expect rows: 2: the values of column shop.product.price: they are gone with it
