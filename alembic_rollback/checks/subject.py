"""What a check may look at: one database, and what is about to happen in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.checks.locking import NamedLock
    from alembic_rollback.model import Impact, LedgerRow, Plan
    from alembic_rollback.settings import Settings
    from alembic_rollback.sql.script import Script


@dataclass(frozen=True)
class Subject:
    """A plan on one database, before it runs."""

    connection: Connection
    """In a READ ONLY transaction, inside a savepoint of the check's own."""
    settings: Settings
    plan: Plan
    impact: Impact
    scripts: Mapping[str, Script | None]
    """The parsed down of each step by version; None where it cannot be read (see `impact`)."""
    ups: Mapping[str, Script | None]
    """The parsed up of each step and of each later one that is applied; None where unreadable.

    Parsed when it is asked for."""
    rows: Mapping[str, LedgerRow]
    """The ledger by version."""
    directory: Path = Path()
    """Of the configuration file: relative paths in the settings start there."""
    command: str = "rollback-db"
    """`rollback-db`, or `downgrade` for Alembic's own."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """The later ups that are pairs, as they stand in their files."""
    named_locks: Sequence[NamedLock] | None = None
    """What the plan's statements lock, in their order; None where it was not looked for."""
    memory: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """What one check has found out and another needs, too, by a name of its own."""


@dataclass(frozen=True)
class Said:
    """One finding, as its check says it; the level is the settings' to say."""

    message: str
    """One line: harm, object, number."""
    next_step: str = ""
