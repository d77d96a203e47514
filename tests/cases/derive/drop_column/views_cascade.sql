-- before
CREATE TABLE person (id int, first text, last text);
CREATE VIEW names AS SELECT id, first || ' ' || last AS name FROM person;
COMMENT ON VIEW names IS 'for the phone book';
CREATE MATERIALIZED VIEW counted AS SELECT name, count(*) FROM names GROUP BY name;
CREATE UNIQUE INDEX counted_name ON counted (name);
-- up
ALTER TABLE person DROP COLUMN last CASCADE;
-- expect down
ALTER TABLE person ADD COLUMN last text;
CREATE VIEW names (id, name) AS SELECT id,
    ((first || ' '::text) || last) AS name
   FROM person;
CREATE MATERIALIZED VIEW counted (name, count) AS SELECT name,
    count(*) AS count
   FROM names
  GROUP BY name WITH DATA;
CREATE UNIQUE INDEX counted_name ON counted (name);
COMMENT ON VIEW names IS 'for the phone book';
-- expect how: statements
-- expect rows: 1: the values of column person.last: they are gone with it
