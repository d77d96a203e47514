-- up
CREATE TABLE country (code text PRIMARY KEY);
INSERT INTO country VALUES ('TD');
-- expect down
DROP TABLE IF EXISTS country CASCADE;
-- expect how: text
