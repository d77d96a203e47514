"""What migration-status says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic_rollback.model.revisions import Failure, Partial


@dataclass(frozen=True)
class RevisionStatus:
    """One line of migration-status."""

    version: str
    name: str
    kind: str
    """`pair`, `py`, or `missing` where the file isn't there."""
    applied: bool
    file: str | None = None
    applied_at: datetime | None = None
    execution_time_ms: int | None = None
    checksum: str | None = None
    problems: tuple[str, ...] = ()
    """What is wrong: modified, missing file, missing down, out of order, damaged by rollback of
    <version>."""
    irreversible: tuple[str, ...] = ()
    """Why there is no way back, where that is so on purpose."""
    failure: Failure | None = None
    partial: Partial | None = None
    """It was begun outside a transaction, and neither finished nor undone; it isn't applied."""

    @property
    def path(self) -> Path | None:
        """Its file: of a pair, the up."""
        return Path(self.file) if self.file else None

    @property
    def state(self) -> str:
        """`applied`, `pending` or `partial`."""
        return "partial" if self.partial else "applied" if self.applied else "pending"


@dataclass(frozen=True)
class Status:
    """What migration-status says about one database."""

    database: str
    revisions: tuple[RevisionStatus, ...]
    now: datetime
    """The server's clock when it was read."""
    notes: tuple[str, ...] = ()

    @property
    def applied(self) -> int:
        """How many revisions are applied."""
        return sum(revision.applied for revision in self.revisions)

    @property
    def partial(self) -> int:
        """How many were begun, and neither finished nor undone."""
        return sum(revision.partial is not None for revision in self.revisions)

    @property
    def pending(self) -> int:
        """How many are not applied."""
        return len(self.revisions) - self.applied - self.partial

    @property
    def clean(self) -> bool:
        """Nothing pending, nothing wrong."""
        wrong = any(revision.problems for revision in self.revisions)
        return not self.pending and not self.partial and not wrong
