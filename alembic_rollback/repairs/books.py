"""What is asked for, and what ledger and version table say of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alembic_rollback.errors import LedgerError, UsageError
from alembic_rollback.host.history import History, checksum_of
from alembic_rollback.ledger import Ledger, Shape
from alembic_rollback.planning import Graph

if TYPE_CHECKING:
    from alembic_rollback.host.environment import Snapshot
    from alembic_rollback.host.state import State
    from alembic_rollback.model import Partial

ACTIONS = {
    "accept-checksum": "accepted",
    "forget": "forgotten",
    "mark-applied": "stamped",
    "clear-partial": "cleared",
    "resume-at": "reset",
    "adopt": "adopted",
}
"""What can be asked for, and the outcome that the log gets for it."""
TOOLS = ("golang-migrate", "dbmate")
Versions = frozenset[str]


@dataclass(frozen=True)
class RepairRequest:
    """What to repair: one action, and what it is about."""

    action: str
    """A key of ACTIONS."""
    version: str | None = None
    everything: bool = False
    """Of accept-checksum: each revision that migration-status calls modified."""
    resume_at: int | None = None
    tool: str | None = None
    table: str | None = None
    """Of adopt: the tool's table; None for its default."""

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise UsageError(f"{self.action!r} is no action of repair-db.")
        if self.everything and self.action != "accept-checksum":
            raise UsageError("--all goes with --accept-checksum only.")
        if self.table is not None and self.action != "adopt":
            raise UsageError("--from-table goes with --adopt only.")
        named = self.version is not None
        if self.action == "adopt":
            if named or self.tool not in TOOLS:
                raise UsageError("--adopt takes a tool, golang-migrate or dbmate, and no VERSION.")
        elif named == self.everything:
            raise UsageError(
                f"--{self.action} takes one VERSION"
                + (", or --all." if self.action == "accept-checksum" else "."),
                next_step="`alembic migration-status` lists them.",
            )


@dataclass(frozen=True)
class Books:
    """What one database's ledger and version table say once they were brought together."""

    database: str
    history: History
    ledger: Ledger
    rows: Mapping[str, tuple[str, str]]
    """The ledger: name and checksum by version."""
    heads: Versions
    partials: Mapping[str, Partial]

    @property
    def applied(self) -> Versions:
        """What is applied; a half rolled back revision still is."""
        return frozenset(self.rows)

    def resolve(self, identifier: str) -> str:
        """A full version, also of a revision without a file. Raises UsageError."""
        return self.history.resolve(identifier, {**self.rows, **self.partials})

    def title(self, version: str) -> str:
        """The file's title, else what the ledger or the log calls it."""
        revision = self.history.revisions.get(version)
        if revision:
            return revision.title
        partial = self.partials.get(version)
        name = partial.name if partial else self.rows.get(version, ("", ""))[0]
        return f"{version} {name}".strip()

    def name(self, version: str) -> str:
        """The name for a row of the log."""
        revision = self.history.revisions.get(version)
        partial = self.partials.get(version)
        known = partial.name if partial else self.rows.get(version, ("", ""))[0]
        return revision.name if revision else known

    def heads_of(self, applied: Versions, *, gone: Iterable[str] = ()) -> Versions:
        """The version table's rows for an applied set.

        gone: versions that the log will no longer place in the graph, unless they have a file.
        """
        lost = {version for version in gone if version not in self.history.revisions}
        parents = self.history.graph.parents
        graph = Graph({version: below for version, below in parents.items() if version not in lost})
        # What nobody can place must not become a row: Alembic would fail on it.
        return graph.maximal(v for v in applied if v in graph or v in self.heads)


def books_of(snapshot: Snapshot) -> Books:
    """As a run that writes would find them. Raises LedgerError where the ledger isn't ours."""
    if snapshot.shape is Shape.FOREIGN:
        problem, advice = snapshot.ledger.foreign
        raise LedgerError(problem, state="Nothing was changed.", next_step=advice)
    known = {version: (row.name, row.checksum) for version, row in snapshot.rows.items()}
    rows = {v: known.get(v) or _taken_in(snapshot.history, v) for v in snapshot.applied}
    return Books(
        snapshot.database,
        snapshot.history,
        snapshot.ledger,
        rows,
        frozenset(snapshot.heads),
        snapshot.partials,
    )


def books_under_lock(state: State, database: str) -> Books:
    """As they are in the run that is about to change them."""
    rows = state.ledger.rows(state.connection)
    return Books(
        database,
        state.history,
        state.ledger,
        {version: (row.name, row.checksum) for version, row in rows.items()},
        frozenset(state.context.get_current_heads()),
        state.partials,
    )


def _taken_in(history: History, version: str) -> tuple[str, str]:
    """The row that reconciling writes for what plain Alembic has applied."""
    revision = history.revisions.get(version)
    return (revision.name[:255], checksum_of(revision)) if revision else ("", "")
