-- before
CREATE TABLE t (a int, gone text);
-- up
ALTER TABLE t ADD COLUMN tmp text;
ALTER TABLE t ALTER tmp TYPE int USING length(tmp);
ALTER TABLE t DROP COLUMN gone;
ALTER TABLE t DROP COLUMN tmp;
CREATE TABLE w (a int);
DROP TABLE w;
COMMENT ON TABLE t IS 'x';
-- expect down
COMMENT ON TABLE t IS NULL;
ALTER TABLE t ADD COLUMN gone text;
-- expect how: statements
-- expect rows: 3: the values of column t.gone: they are gone with it
