CREATE TABLE tmp (id int);
ALTER TABLE tmp RENAME TO tmp2;
ALTER TABLE tmp2 ADD COLUMN b int;
DROP TABLE tmp2 CASCADE;
-- expect down
