"""Fill the sample with data: 150 purchase orders with their lines and attachments."""

from __future__ import annotations

from sqlalchemy import text

from sample_project.database import engine

ORDERS = 150

_STATEMENTS = (
    """INSERT INTO purchase_orders (id, tenant_id, order_number, supplier)
       SELECT gen_random_uuid(), '0c5a2a5e-55a1-4b59-9d1c-0d6f3c1f2a11',
              'PO-' || lpad(n::text, 5, '0'), 'Supplier ' || (n % 7)
       FROM generate_series(1, :orders) AS n
       ON CONFLICT DO NOTHING""",
    """INSERT INTO po_items (tenant_id, purchase_order_id, sku, quantity, unit_price)
       SELECT tenant_id, id, 'SKU-' || n, n, 9.90 * n
       FROM purchase_orders CROSS JOIN generate_series(1, 3) AS n
       WHERE NOT EXISTS (SELECT FROM po_items)""",
    """INSERT INTO po_attachments (tenant_id, purchase_order_id, file_name, content)
       SELECT tenant_id, id, order_number || '.pdf', '\\x25504446'
       FROM purchase_orders
       WHERE NOT EXISTS (SELECT FROM po_attachments) AND order_number LIKE '%0'""",
)


def main() -> None:
    with engine() as connectable, connectable.begin() as connection:
        for statement in _STATEMENTS:
            connection.execute(
                text(statement), {"orders": ORDERS} if ":orders" in statement else {}
            )
    print(f"{ORDERS} purchase orders with items and attachments")


if __name__ == "__main__":
    main()
