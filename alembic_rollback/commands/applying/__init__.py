"""What apply-db does: validate, apply, confirm; on failure clean up, try again, or escalate."""

from __future__ import annotations

from alembic_rollback.commands.applying.running import apply
from alembic_rollback.commands.applying.validating import Unverified

__all__ = ["Unverified", "apply"]
