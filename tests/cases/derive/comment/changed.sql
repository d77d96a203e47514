-- before
CREATE TABLE t (a int, b int);
COMMENT ON TABLE t IS 'old';
COMMENT ON COLUMN t.a IS E'two\nlines \\ back';
-- up
COMMENT ON TABLE t IS 'new';
COMMENT ON COLUMN t.a IS NULL;
COMMENT ON COLUMN t.b IS 'first';
-- expect down
COMMENT ON COLUMN t.b IS NULL;
COMMENT ON COLUMN t.a IS E'two
lines \\ back';
COMMENT ON TABLE t IS 'old';
-- expect how: statements
