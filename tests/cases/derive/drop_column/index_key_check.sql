-- before
CREATE TABLE garage (id int PRIMARY KEY);
CREATE TABLE car (id int, garage int CONSTRAINT car_garage REFERENCES garage ON UPDATE CASCADE, seats int CONSTRAINT few CHECK (seats < 10));
CREATE INDEX car_by_garage ON car (garage, id DESC);
CREATE INDEX car_by_seats ON car (seats) INCLUDE (id);
-- up
ALTER TABLE car DROP COLUMN garage, DROP COLUMN IF EXISTS seats, DROP COLUMN IF EXISTS nothing;
-- expect down
ALTER TABLE car ADD COLUMN garage integer;
ALTER TABLE car ADD COLUMN seats integer;
ALTER TABLE car ADD CONSTRAINT few CHECK ((seats < 10));
ALTER TABLE car ADD CONSTRAINT car_garage FOREIGN KEY (garage) REFERENCES garage(id) ON UPDATE CASCADE;
CREATE INDEX car_by_garage ON car (garage, id DESC);
CREATE INDEX car_by_seats ON car (seats) INCLUDE (id);
-- expect how: statements
-- expect rows: 1: the values of column car.garage: they are gone with it; the values of column car.seats: they are gone with it
