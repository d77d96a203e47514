"""The use cases, as functions: an Alembic Config in, results out; nothing is printed or asked.

For the command line and for `alembic_rollback.command`, the stable API over them: unlike it, they
take a missing `confirm` for consent. Errors are those of `alembic_rollback.errors`, and what a
migration itself raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.commands.applying import apply
from alembic_rollback.commands.pairs import generate_down, generate_up, verify_down
from alembic_rollback.commands.repairing import ConfirmRepair, repair
from alembic_rollback.commands.restoring import archived, drop_archived, restore
from alembic_rollback.commands.rolling_back import (
    Confirm,
    downgrade,
    rollback,
    rollback_sql,
    weigh_in_code,
)
from alembic_rollback.host import environment
from alembic_rollback.model import Status
from alembic_rollback.statuses import status_of

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = [
    "Confirm",
    "ConfirmRepair",
    "apply",
    "archived",
    "downgrade",
    "drop_archived",
    "generate_down",
    "generate_up",
    "repair",
    "restore",
    "rollback",
    "rollback_sql",
    "status",
    "verify_down",
    "weigh_in_code",
]


def status(config: Config) -> list[Status]:
    """Which revisions are applied, pending or not as they should be, for each database of env.py.

    Writes nothing, also where none of our tables exists yet.
    """
    return environment.inspect(config, lambda snapshot, connection: status_of(snapshot))
