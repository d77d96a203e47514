-- setup
CREATE TABLE bookings (during tsrange);
-- up
ALTER TABLE bookings ADD EXCLUDE USING gist (during WITH &&);
-- expect down
ALTER TABLE bookings DROP CONSTRAINT bookings_during_excl;
