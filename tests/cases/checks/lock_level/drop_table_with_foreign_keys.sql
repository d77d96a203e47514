-- setup
CREATE TABLE suppliers (id int PRIMARY KEY);
CREATE TABLE purchase_orders (id int PRIMARY KEY, supplier int REFERENCES suppliers);
CREATE TABLE po_items (po int REFERENCES purchase_orders);

-- down

-- what the orders were
DROP TABLE purchase_orders CASCADE;

-- expect
-- ACCESS EXCLUSIVE on purchase_orders, from line 3 of migrations/versions/1.down.sql: nobody can read or write it until the rollback commits.
-- ACCESS EXCLUSIVE on suppliers, from line 3 of migrations/versions/1.down.sql, for its foreign key with purchase_orders: nobody can read or write it until the rollback commits.
-- ACCESS EXCLUSIVE on po_items, from line 3 of migrations/versions/1.down.sql, for its foreign key with purchase_orders: nobody can read or write it until the rollback commits.
