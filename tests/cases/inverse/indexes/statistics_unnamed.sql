-- not run: PostgreSQL names them since version 16
-- up
CREATE STATISTICS ON a, b FROM app.orders;
-- expect down
DROP STATISTICS IF EXISTS app.orders_a_b_stat;
