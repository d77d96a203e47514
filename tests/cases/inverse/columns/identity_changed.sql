ALTER TABLE orders ALTER COLUMN id SET GENERATED ALWAYS;
ALTER TABLE orders ALTER COLUMN id DROP IDENTITY;
-- expect irreversible: 1: how the identity of column id counted before
-- expect irreversible: 2: how the identity of column id counted: DROP IDENTITY does not keep it
