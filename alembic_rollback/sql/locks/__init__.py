"""Which lock a statement takes on which relation, from its tree alone.

Source: PostgreSQL's Explicit Locking (13.3.1), each command's reference page, and for ALTER TABLE
AlterTableGetLockLevel in tablecmds.c. Only relations that the statement names: what hangs on them
(partitions, the tables at the other end of a foreign key) is the catalog's to say. Locks on
relations that the statement makes are left out, as nobody else can see them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.sql.locks.modes import (
    ACCESS_EXCLUSIVE,
    ACCESS_SHARE,
    EXCLUSIVE,
    MODES,
    ROW_EXCLUSIVE,
    ROW_SHARE,
    SHARE,
    SHARE_ROW_EXCLUSIVE,
    SHARE_UPDATE_EXCLUSIVE,
    Lock,
    conflicting,
    strongest,
)
from alembic_rollback.sql.locks.statements import HANDLERS

if TYPE_CHECKING:
    from alembic_rollback.sql.parser import Statement

__all__ = [
    "ACCESS_EXCLUSIVE",
    "ACCESS_SHARE",
    "EXCLUSIVE",
    "MODES",
    "ROW_EXCLUSIVE",
    "ROW_SHARE",
    "SHARE",
    "SHARE_ROW_EXCLUSIVE",
    "SHARE_UPDATE_EXCLUSIVE",
    "Lock",
    "conflicting",
    "locks",
    "strongest",
]


def locks(statement: Statement) -> tuple[Lock, ...]:
    """The strongest lock on each relation that the statement names; none where it isn't known."""
    handler = HANDLERS.get(statement.kind)
    found: dict[tuple[str, ...], Lock] = {}
    for lock in handler(statement.node) if handler else ():
        other = found.setdefault(lock.relation, lock)
        if MODES.index(lock.mode) > MODES.index(other.mode):
            found[lock.relation] = lock
    return tuple(found.values())
