-- before
CREATE TABLE bill (id int, sum int);
-- up
CREATE FUNCTION pg_temp.widen() RETURNS void LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE bill ALTER sum TYPE bigint; END $$;
SELECT pg_temp.widen();
CREATE FUNCTION helper() RETURNS void LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE bill ALTER sum SET DEFAULT 0; END $$;
SELECT helper();
DROP FUNCTION helper();
-- expect down
ALTER TABLE bill ALTER COLUMN sum DROP DEFAULT;
ALTER TABLE bill ALTER COLUMN sum TYPE integer;
DROP FUNCTION IF EXISTS pg_temp.widen();
-- expect how: statements
-- expect rows: 2: which rows a function changed, if any
-- expect rows: 4: which rows a function changed, if any
