-- before
CREATE SEQUENCE s AS smallint MINVALUE -5 START 3 CACHE 7;
CREATE TABLE t (a int DEFAULT nextval('s'));
-- up
DROP SEQUENCE s CASCADE;
-- expect down
CREATE SEQUENCE s AS smallint MINVALUE -5 START WITH 3 CACHE 7;
ALTER TABLE t ALTER COLUMN a SET DEFAULT nextval('s'::regclass);
-- expect how: statements
