ALTER TABLE orders ALTER COLUMN total SET DEFAULT 0;
ALTER TABLE orders ALTER COLUMN state DROP DEFAULT;
-- expect irreversible: 1: the default of column total before, if it had one
-- expect irreversible: 2: the default of column state before, if it had one
