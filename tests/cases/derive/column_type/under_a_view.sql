-- before
CREATE TABLE price (id int, amount numeric(8,2));
CREATE VIEW dear AS SELECT id, amount * 2 AS twice FROM price;
GRANT SELECT ON dear TO derive_reader;
-- up
DROP VIEW dear;
ALTER TABLE price ALTER amount TYPE numeric(12,4);
CREATE VIEW dear AS SELECT id, amount * 2 AS twice FROM price;
GRANT SELECT ON dear TO derive_reader;
-- expect down
DROP VIEW IF EXISTS dear;
ALTER TABLE price ALTER COLUMN amount TYPE numeric(8,2);
CREATE VIEW dear (id, twice) AS SELECT id,
    (amount * (2)::numeric) AS twice
   FROM price;
GRANT SELECT ON TABLE dear TO derive_reader;
-- expect how: statements
