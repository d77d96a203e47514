CREATE TEMP TABLE scratch (id int);
CREATE INDEX ON scratch (id);
INSERT INTO scratch VALUES (1);
ALTER TABLE scratch ADD COLUMN b int;
-- expect down
