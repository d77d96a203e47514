-- before
CREATE TABLE car (id int, plate text, wheels int);
-- up
ALTER TABLE car DROP COLUMN plate;
-- expect down
ALTER TABLE car ADD COLUMN plate text;
-- expect how: statements
-- expect rows: 1: the values of column car.plate: they are gone with it
-- expect order: car
