"""create suppliers

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
    op.create_table(
        "suppliers",
        sa.Column("id", sa.Uuid(), primary_key=True, server_default=sa.func.gen_random_uuid()),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("suppliers")
