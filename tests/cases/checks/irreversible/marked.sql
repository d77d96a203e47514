-- revisions
{"version": "20260112_001", "name": "create_purchase_orders", "is_pair": true, "path": "migrations/versions/20260112_001_create_purchase_orders.up.sql", "irreversible": ["the old totals are gone", "so are the notes"]}

-- down

-- expect
-- 20260112_001_create_purchase_orders is marked irreversible: the old totals are gone; so are the notes.
--   Complete the down script and remove the `-- Irreversible:` line, or restore a backup.
