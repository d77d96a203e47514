"""find items by sku

Revision ID: a7f3b9c04d18
Revises: 20260112_003
Create Date: 2026-01-14 16:40:00.000000

"""

from alembic import op

revision = "a7f3b9c04d18"
down_revision = "20260112_003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("idx_po_items_sku", "po_items", ["tenant_id", "sku"])


def downgrade() -> None:
    op.drop_index("idx_po_items_sku", "po_items", if_exists=True)
