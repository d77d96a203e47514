CREATE TABLE t (a text);
CREATE TYPE mood AS ENUM ('sad');
ALTER TABLE t ALTER COLUMN a TYPE mood USING a::mood;
-- expect irreversible: 3: the type of column a before, and what the conversion lost of its values
-- expect down
DROP TYPE IF EXISTS mood;
DROP TABLE IF EXISTS t CASCADE;
