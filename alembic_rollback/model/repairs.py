"""What repair-db changes in the records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic_rollback.model.failures import StatementMark


@dataclass(frozen=True)
class Amendment:
    """What repair-db changes in the records of one revision."""

    version: str
    title: str
    name: str
    outcome: str
    """Of its row in the log."""
    before: str
    """`applied`, `pending`, `unknown` without a file, or `partial, statement 2 of 3`."""
    after: str
    checksum_before: str | None = None
    """In the ledger; None where there is no row."""
    checksum_after: str | None = None
    direction: str = "none"
    """Of a partial revision that is to go on: `up` or `down`."""
    resume_at: int | None = None
    """The statement at which it goes on."""
    total: int | None = None
    statements: tuple[StatementMark, ...] = ()
    """Those that count differently from now on."""


@dataclass(frozen=True)
class Repair:
    """What repair-db would change or has changed in one database: records only."""

    database: str
    action: str
    changes: tuple[Amendment, ...] = ()
    heads_before: tuple[str, ...] = ()
    """The version table's rows."""
    heads_after: tuple[str, ...] = ()
    source: str = ""
    """The table of another tool that it takes over."""
    notes: tuple[str, ...] = field(default=(), compare=False)
    """What else there is to know of it."""
    why_not: str = ""
    """Why nothing is changed here."""
    idle: bool = False
    """Then: because everything is so already, which is no error."""
    executed: bool = False
    run_id: str = ""
