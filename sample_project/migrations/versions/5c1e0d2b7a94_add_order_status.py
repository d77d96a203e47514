"""add order status

Revision ID: 5c1e0d2b7a94
Revises: 20260112_002
Create Date: 2026-01-13 09:12:00.000000

"""

import sqlalchemy as sa
from alembic import op

revision = "5c1e0d2b7a94"
down_revision = "20260112_002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "purchase_orders",
        sa.Column("status", sa.Text(), nullable=False, server_default="draft"),
    )


def downgrade() -> None:
    op.drop_column("purchase_orders", "status")
