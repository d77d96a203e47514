-- setup
CREATE TABLE t (a int);
-- up
ALTER TABLE t ADD COLUMN id serial;
SELECT setval('t_id_seq', 10);
-- expect down
ALTER TABLE t DROP COLUMN id;
