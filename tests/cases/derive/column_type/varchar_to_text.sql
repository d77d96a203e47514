-- before
CREATE TABLE city (id int, name varchar(40) DEFAULT 'x'::character varying NOT NULL);
-- up
ALTER TABLE city ALTER COLUMN name TYPE text;
-- expect down
ALTER TABLE city ALTER COLUMN name DROP DEFAULT;
ALTER TABLE city ALTER COLUMN name TYPE character varying(40);
ALTER TABLE city ALTER COLUMN name SET DEFAULT 'x'::character varying;
-- expect how: statements
