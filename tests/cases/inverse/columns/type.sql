ALTER TABLE orders ALTER COLUMN total TYPE bigint USING total::bigint;
-- expect irreversible: 1: the type of column total before, and what the conversion lost of its values
