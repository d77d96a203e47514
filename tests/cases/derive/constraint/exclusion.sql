-- before
CREATE TABLE stay (id int, during tstzrange, CONSTRAINT no_overlap EXCLUDE USING gist (during WITH &&) WHERE (id > 0));
-- up
ALTER TABLE stay DROP CONSTRAINT no_overlap;
-- expect down
ALTER TABLE stay ADD CONSTRAINT no_overlap EXCLUDE USING gist (during WITH &&) WHERE ((id > 0));
-- expect how: statements
