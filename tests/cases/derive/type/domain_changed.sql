-- before
CREATE DOMAIN email AS text DEFAULT 'x@y' CONSTRAINT has_at CHECK (VALUE LIKE '%@%');
CREATE TABLE t (e email);
-- up
ALTER DOMAIN email DROP CONSTRAINT has_at;
ALTER DOMAIN email ADD CONSTRAINT longer CHECK (length(VALUE) > 5);
ALTER DOMAIN email SET NOT NULL;
ALTER DOMAIN email DROP DEFAULT;
-- expect down
ALTER DOMAIN email SET DEFAULT 'x@y'::text;
ALTER DOMAIN email DROP NOT NULL;
ALTER DOMAIN email DROP CONSTRAINT longer;
ALTER DOMAIN email ADD CONSTRAINT has_at CHECK ((VALUE ~~ '%@%'::text));
-- expect how: statements
