"""Revisions as their files, the ledger and the log know them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple


class LedgerRow(NamedTuple):
    """One row of schema_migrations."""

    version: str
    name: str
    applied_at: datetime
    checksum: str
    execution_time_ms: int | None


class LogEntry(NamedTuple):
    """One row of schema_migrations_log, without what the database fills in itself."""

    version: str
    direction: str
    """`up`, `down` or `none`."""
    outcome: str
    """applied, rolled_back, failed, stamped, adopted, forgotten; accepted, cleared: by repair-db;
    of a run: tagged; of an object: collateral, repaired; of one statement outside a transaction:
    started, finished, skipped, reset."""
    name: str = ""
    duration_ms: int | None = None
    checksum: str = ""
    down_checksum: str | None = None
    down_sql: str | None = None
    down_revisions: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    statement: str | None = None
    error: str | None = None
    statement_number: int | None = None
    """From 1, as in the file."""
    statement_total: int | None = None
    found: str | None = None
    """What was there before a statement outside a transaction, by which to tell afterwards whether
    it was executed; of `tagged`, what was applied: JSON."""


class LogRow(NamedTuple):
    """One row of the log."""

    id: int
    run_id: str
    at: datetime
    version: str
    name: str
    direction: str
    outcome: str
    duration_ms: int | None
    statement: str | None
    statement_number: int | None
    error: str | None
    tag: str | None


class Progress(NamedTuple):
    """How far a script got that runs outside a transaction."""

    done: Mapping[int, str]
    """The statements that were executed or had nothing to do, by their number in the file."""
    total: int | None
    """Statements in the file; None for a `.py` revision."""
    doubtful: int | None = None
    """The number of a statement that was begun, and of which no end is recorded."""
    statement: str = ""
    """Its text."""
    found: str | None = None
    """What was there before it."""
    failed: bool = False
    """The server has refused it; otherwise the run ended before the server's answer came."""


class Partial(NamedTuple):
    """A revision that was begun outside a transaction, and neither finished nor undone."""

    version: str
    name: str
    up: Progress | None = None
    down: Progress | None = None
    """Of a rollback; where `up` is there, too, of the undoing of a partial upgrade."""

    @property
    def direction(self) -> str:
        """`up` or `down`: what was going on last."""
        return "up" if self.down is None else "down"

    @property
    def progress(self) -> Progress:
        """How far that got."""
        found = self.down or self.up
        assert found is not None
        return found

    @property
    def shown(self) -> str:
        """`statement 3 of 5`: the one that comes next, or was the last to be begun."""
        progress = self.progress
        number = progress.doubtful or max(progress.done, default=0) + 1
        if progress.total is None:
            end = "begun" if progress.doubtful else "done"
            return f"statement {max([number - (end == 'done'), *progress.done])} {end}"
        if number > progress.total:
            return f"all {progress.total} statements, not recorded"
        return f"statement {number} of {progress.total}"


class Collateral(NamedTuple):
    """An object that a rollback takes with CASCADE from revisions that stay applied."""

    version: str
    """The revision that was rolled back."""
    kind: str
    """pg_identify_object's type: `view`, `table constraint`."""
    name: str
    """pg_identify_object's identity: `po_items_po_fkey on public.po_items`."""
    statements: tuple[str, ...] = ()
    """SQL that makes it again, in order, without semicolons."""
    missing: str = ""
    """Why it cannot be made again; then there are no statements."""
    owner: str | None = None
    """The revision that made it, or the table that it is part of, where that is known."""
    names: tuple[str, ...] = ()
    """With args, how PostgreSQL finds it: pg_get_object_address(kind, names, args)."""
    args: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """`view public.totals`."""
        return f"{self.kind} {self.name}"


class Revision(NamedTuple):
    """A revision of the script directory, pair or `.py`, as the planner and the reports see it."""

    version: str
    name: str
    file: str
    parents: tuple[str, ...] = ()
    """What it revises and depends on."""
    checksum: str = ""
    """A pair's; empty for `.py`."""
    is_pair: bool = False
    has_down: bool = True
    irreversible: tuple[str, ...] = ()
    down_revisions: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Its file: of a pair, the up."""
        return Path(self.file)

    @property
    def title(self) -> str:
        """`20260112_001_create_purchase_orders` for a pair, `3f2a91 add supplier` for `.py`."""
        if not self.name:
            return self.version
        return f"{self.version}_{self.name}" if self.is_pair else f"{self.version} {self.name}"


class StoredDown(NamedTuple):
    """A pair as the log keeps it since it was applied, for releases without its files."""

    version: str
    name: str
    text: str
    """The down script, as it stood then."""
    checksum: str = ""
    """The up's."""
    down_revisions: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """As of a Revision."""
        return f"{self.version}_{self.name}" if self.name else self.version

    @property
    def path(self) -> Path:
        """What to call it: there is no such file."""
        return Path(f"{self.title}.down.sql (stored)")


class Failure(NamedTuple):
    """The last failed attempt at a revision that is recorded in the log."""

    version: str
    direction: str
    at: datetime
    error: str
    statement: str | None
