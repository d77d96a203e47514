-- before
CREATE FUNCTION add_audit(t regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ADD COLUMN changed timestamptz', t);
  EXECUTE format('CREATE TABLE %I (id int, row jsonb)', t::text || '_audit');
END $$;
CREATE TABLE bill (id int);
-- up
SELECT add_audit('bill');
-- expect down
ALTER TABLE bill DROP COLUMN changed;
DROP TABLE bill_audit;
-- expect how: statements
-- expect rows: 1: which rows a function changed, if any
