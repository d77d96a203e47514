-- setup
CREATE TABLE orders (id int);
INSERT INTO orders SELECT generate_series(1, 150);

-- down
DROP TABLE orders;

-- expect
-- No backup is configured: 150 rows of orders would be gone for good.
--   Run it with --backup, or set backup_files or backup_command.
