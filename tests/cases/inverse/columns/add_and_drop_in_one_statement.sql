-- setup
CREATE TABLE orders (id int, total int);
-- up
ALTER TABLE orders
    ADD COLUMN net int,
    DROP COLUMN total;
-- expect irreversible: 1: the type, default and rows of column total: DROP COLUMN keeps none of them
-- expect down
ALTER TABLE orders DROP COLUMN net;
