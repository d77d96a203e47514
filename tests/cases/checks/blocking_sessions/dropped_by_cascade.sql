-- setup
CREATE TABLE suppliers (id int PRIMARY KEY);
CREATE TABLE orders (id int PRIMARY KEY, supplier int REFERENCES suppliers);
CREATE VIEW totals AS SELECT count(*) FROM orders;

-- session
SELECT * FROM suppliers;

-- session
COMMENT ON VIEW totals IS 'x';
LOCK TABLE suppliers IN ROW EXCLUSIVE MODE;

-- down
DROP TABLE orders CASCADE;

-- expect
-- Session <pid> (user <user>, idle in transaction for <time>) holds ACCESS SHARE on suppliers.
-- Session <pid> (user <user>, idle in transaction for <time>) holds SHARE UPDATE EXCLUSIVE on totals and ROW EXCLUSIVE on suppliers.
