-- revisions
{"version": "20260112_001", "name": "create_purchase_orders", "is_pair": true, "path": "migrations/versions/20260112_001_create_purchase_orders.up.sql", "has_down": false}
{}

-- down
-- down

-- expect
-- 20260112_001_create_purchase_orders has no down script.
--   `alembic generate-down 20260112_001_create_purchase_orders.up.sql` writes what can be derived.
