CREATE UNLOGGED TABLE jobs (id int);
-- expect down
DROP TABLE IF EXISTS jobs CASCADE;
