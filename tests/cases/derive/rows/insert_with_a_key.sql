-- before
CREATE TABLE role (id int PRIMARY KEY, name text);
-- up
INSERT INTO role (id, name) VALUES (1, 'admin'), (2, 'it''s 50%');
-- expect down
DELETE FROM role WHERE id IN (1, 2);
-- expect how: text
