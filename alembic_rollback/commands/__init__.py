"""The use cases, as functions: an Alembic Config in, results out; nothing is printed or asked.

For the command line and for `alembic_rollback.command`, the stable API over them: unlike it, they
take a missing `confirm` for consent. Errors are those of `alembic_rollback.errors`, and what a
migration itself raises.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alembic_rollback.commands.applying import apply
    from alembic_rollback.commands.looking import status
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

_HOME = {
    "applying": ("apply",),
    "pairs": ("generate_down", "generate_up", "verify_down"),
    "repairing": ("ConfirmRepair", "repair"),
    "restoring": ("archived", "drop_archived", "restore"),
    "rolling_back": ("Confirm", "downgrade", "rollback", "rollback_sql", "weigh_in_code"),
    "looking": ("status",),
}


def __getattr__(name: str) -> Any:
    """Import a command's module when it is asked for: none needs those of all others."""
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
