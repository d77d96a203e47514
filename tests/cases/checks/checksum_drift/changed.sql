-- revisions
{"version": "20260112_001", "name": "create_purchase_orders", "is_pair": true, "path": "migrations/versions/20260112_001_create_purchase_orders.up.sql", "checksum": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "ledger": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}

-- down

-- expect
-- 20260112_001_create_purchase_orders was changed after it was applied: its down may not fit what is in the database.
--   Compare the file with the release that applied it.
