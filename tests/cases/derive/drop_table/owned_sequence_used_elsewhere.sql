-- before
CREATE TABLE first (id serial);
CREATE TABLE second (id int DEFAULT nextval('first_id_seq'), note text);
-- up
DROP TABLE first CASCADE;
-- expect down
CREATE TABLE first (
    id serial
);
ALTER TABLE second ALTER COLUMN id SET DEFAULT nextval('first_id_seq'::regclass);
-- expect how: statements
-- expect rows: 1: the rows of table first: they are gone with it
