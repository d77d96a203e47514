-- setup
CREATE TABLE orders (id int);
CREATE FUNCTION total() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM orders';
CREATE FUNCTION other() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; /* orders */ END';
CREATE FUNCTION gone() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM orders';

-- down
DROP FUNCTION gone();
DROP TABLE orders;

-- expect
-- The body of total() names orders; PostgreSQL doesn't track it: whether it works without is not known.
--   Look at it before you go on.
