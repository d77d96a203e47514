-- before
CREATE TABLE role (id int PRIMARY KEY, name text);
-- up
INSERT INTO role VALUES (1, 'admin') ON CONFLICT (id) DO UPDATE SET name = 'admin';
-- expect how: text
-- expect rows: 1: what the rows of role held that ON CONFLICT updated, and which rows were new
