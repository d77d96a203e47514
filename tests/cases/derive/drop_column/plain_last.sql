-- before
CREATE TABLE car (id int, colour varchar(20) NOT NULL DEFAULT 'red');
COMMENT ON COLUMN car.colour IS 'of the body';
-- up
ALTER TABLE car DROP COLUMN colour;
-- expect down
ALTER TABLE car ADD COLUMN colour character varying(20) DEFAULT 'red'::character varying NOT NULL;
COMMENT ON COLUMN car.colour IS 'of the body';
-- expect how: statements
-- expect rows: 1: the values of column car.colour: they are gone with it
