-- before
CREATE TABLE sale (id int, price money, sold date);
CREATE VIEW recent AS SELECT id, price FROM sale WHERE sold > '2020-01-01';
CREATE VIEW dear AS SELECT id FROM recent WHERE price > 100::money;
GRANT SELECT ON dear TO derive_reader;
-- up
DROP TABLE sale CASCADE;
-- expect down
CREATE TABLE sale (
    id integer,
    price money,
    sold date
);
CREATE VIEW recent (id, price) AS SELECT id,
    price
   FROM sale
  WHERE (sold > '2020-01-01'::date);
CREATE VIEW dear (id) AS SELECT id
   FROM recent
  WHERE (price > (100)::money);
GRANT SELECT ON TABLE dear TO derive_reader;
-- expect how: statements
-- expect rows: 1: the rows of table sale: they are gone with it
