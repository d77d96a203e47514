-- setup
CREATE TABLE orders (a int, b int);
-- up
CREATE STATISTICS orders_ab ON a, b FROM orders;
ALTER STATISTICS orders_ab SET STATISTICS 10;
-- expect down
DROP STATISTICS IF EXISTS orders_ab;
