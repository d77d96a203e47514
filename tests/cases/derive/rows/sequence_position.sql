-- before
CREATE TABLE t (id serial PRIMARY KEY);
-- up
SELECT setval('t_id_seq', 1000);
ALTER SEQUENCE t_id_seq RESTART WITH 5000;
-- expect how: statements
-- expect rows: 1: the value that sequence t_id_seq had before
