ALTER TABLE orders DROP COLUMN total;
-- expect irreversible: 1: the type, default and rows of column total: DROP COLUMN keeps none of them
