-- before
GRANT CREATE ON SCHEMA public TO derive_owner;
CREATE TABLE before (a int);
-- up
SET ROLE derive_owner;
CREATE TABLE made (id int);
RESET ROLE;
ALTER TABLE before ADD COLUMN b int;
-- expect down
ALTER TABLE before DROP COLUMN b;
DROP TABLE IF EXISTS made CASCADE;
-- expect how: text
