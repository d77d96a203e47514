-- before
CREATE TABLE t (a int, b int);
CREATE INDEX ON t (a);
-- up
CREATE INDEX ON t (a);
ALTER TABLE t ADD CHECK (a > 0), ADD CHECK (a < 9), ADD UNIQUE (a);
CREATE TABLE u (id serial, t int UNIQUE CHECK (t > 0));
-- expect down
DROP TABLE IF EXISTS u CASCADE;
ALTER TABLE t DROP CONSTRAINT t_a_key, DROP CONSTRAINT t_a_check1, DROP CONSTRAINT t_a_check;
DROP INDEX t_a_idx1;
-- expect how: statements
