-- setup
CREATE TABLE purchase_orders (id int);

-- session
SET application_name = 'web';
INSERT INTO purchase_orders VALUES (1);

-- down
DROP TABLE purchase_orders;

-- expect
-- Session <pid> (user <user>, application web, idle in transaction for <time>) holds ROW EXCLUSIVE on purchase_orders.
--   Wait for it, or end it with SELECT pg_terminate_backend(<pid>).
