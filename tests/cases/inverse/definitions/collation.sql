CREATE COLLATION german (LOCALE = 'C');
-- expect down
DROP COLLATION IF EXISTS german;
