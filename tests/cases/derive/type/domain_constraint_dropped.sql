-- before
CREATE DOMAIN email AS text CONSTRAINT has_at CHECK (length(VALUE)>1);
-- up
ALTER DOMAIN email DROP CONSTRAINT has_at;
-- expect down
ALTER DOMAIN email ADD CONSTRAINT has_at CHECK ((length(VALUE) > 1));
-- expect how: statements
