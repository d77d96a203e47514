DROP TABLE orders;
CREATE TABLE orders (id int);
INSERT INTO orders VALUES (1);
-- expect irreversible: 1: the definition and the rows of table orders: DROP TABLE keeps neither
-- expect down
DROP TABLE IF EXISTS orders CASCADE;
