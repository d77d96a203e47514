-- setup
CREATE TABLE a (id int);
CREATE TABLE b (id int);
INSERT INTO a VALUES (1);
INSERT INTO b VALUES (1), (2);

-- down
DROP TABLE a;

-- down
DROP TABLE b;

-- expect
-- No backup is configured: 3 rows of a and b would be gone for good.
--   Run it with --backup, or set backup_files or backup_command.
