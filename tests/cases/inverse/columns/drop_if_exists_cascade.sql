ALTER TABLE orders DROP COLUMN IF EXISTS total CASCADE;
-- expect irreversible: 1: the type, default and rows of column total: DROP COLUMN keeps none of them, nor what CASCADE took with it
