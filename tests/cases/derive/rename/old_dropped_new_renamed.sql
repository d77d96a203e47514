-- before
CREATE TABLE fact (id int PRIMARY KEY, x int NOT NULL);
CREATE INDEX fact_x ON fact (x);
GRANT SELECT ON fact TO derive_reader;
-- up
CREATE TABLE fact_new (LIKE fact INCLUDING ALL);
INSERT INTO fact_new SELECT * FROM fact;
DROP TABLE fact;
ALTER TABLE fact_new RENAME TO fact;
-- expect down
ALTER TABLE fact RENAME TO fact_new;
CREATE TABLE fact (
    id integer NOT NULL,
    x integer NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX fact_x ON fact (x);
GRANT SELECT ON TABLE fact TO derive_reader;
ALTER TABLE fact RENAME CONSTRAINT fact_id_not_null1 TO fact_id_not_null;
ALTER TABLE fact RENAME CONSTRAINT fact_x_not_null1 TO fact_x_not_null;
DROP TABLE IF EXISTS fact_new CASCADE;
-- expect how: statements
-- expect rows: 3: the rows of table fact: they are gone with it
