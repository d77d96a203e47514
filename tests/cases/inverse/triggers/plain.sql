-- setup
CREATE TABLE orders (id int);
-- up
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END; $$;
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
-- expect down
DROP TRIGGER IF EXISTS touch ON orders;
DROP FUNCTION IF EXISTS touch();
