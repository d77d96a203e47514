CREATE TABLE tmp AS SELECT 1 AS id;
CREATE INDEX tmp_id ON tmp (id);
UPDATE tmp SET id = 2;
DROP TABLE tmp;
-- expect down
