-- before
CREATE TABLE role (id serial PRIMARY KEY, name text);
-- up
INSERT INTO role (name) VALUES ('admin');
-- expect how: text
-- expect rows: 1: the key by which to delete the rows inserted into role: it is not in the text
