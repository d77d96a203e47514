-- before
CREATE TABLE seat (hall int, row_no int, place int, PRIMARY KEY (hall, row_no, place));
CREATE TABLE booking (id int, hall int, row_no int, place int, FOREIGN KEY (hall, row_no, place) REFERENCES seat);
-- up
ALTER TABLE seat DROP COLUMN hall CASCADE;
-- expect down
ALTER TABLE seat ADD COLUMN hall integer NOT NULL;
ALTER TABLE seat ADD CONSTRAINT seat_pkey PRIMARY KEY (hall, row_no, place);
ALTER TABLE booking ADD CONSTRAINT booking_hall_row_no_place_fkey FOREIGN KEY (hall, row_no, place) REFERENCES seat(hall, row_no, place);
-- expect how: statements
-- expect rows: 1: the values of column seat.hall: they are gone with it
-- expect order: seat
