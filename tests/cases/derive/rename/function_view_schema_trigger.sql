-- before
CREATE SCHEMA stock;
CREATE TABLE stock.item (id int);
CREATE FUNCTION stock.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER tr BEFORE INSERT ON stock.item FOR EACH ROW EXECUTE FUNCTION stock.touch();
CREATE VIEW stock.v AS SELECT id FROM stock.item;
-- up
ALTER TRIGGER tr ON stock.item RENAME TO touched;
ALTER FUNCTION stock.touch() RENAME TO touch_it;
ALTER VIEW stock.v RENAME TO ids;
ALTER SCHEMA stock RENAME TO warehouse;
-- expect down
ALTER SCHEMA warehouse RENAME TO stock;
ALTER VIEW stock.ids RENAME TO v;
ALTER FUNCTION stock.touch_it() RENAME TO touch;
ALTER TRIGGER touched ON stock.item RENAME TO tr;
-- expect how: text
