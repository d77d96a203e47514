"""The values that travel between the rooms: frozen, without behaviour that needs a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class LedgerRow:
    """One row of schema_migrations."""

    version: str
    name: str
    applied_at: datetime
    checksum: str
    execution_time_ms: int | None


@dataclass(frozen=True)
class LogEntry:
    """One row of schema_migrations_log, without what the database fills in itself."""

    version: str
    direction: str
    """`up`, `down` or `none`."""
    outcome: str
    """applied, rolled_back, failed, stamped, adopted, forgotten."""
    name: str = ""
    duration_ms: int | None = None
    checksum: str = ""
    down_checksum: str | None = None
    down_sql: str | None = None
    down_revisions: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    statement: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Revision:
    """A revision of the script directory, pair or `.py`, as the planner and the reports see it."""

    version: str
    name: str
    path: Path
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
    def title(self) -> str:
        """`20260112_001_create_purchase_orders` for a pair, `3f2a91 add supplier` for `.py`."""
        if not self.name:
            return self.version
        return f"{self.version}_{self.name}" if self.is_pair else f"{self.version} {self.name}"


@dataclass(frozen=True)
class Failure:
    """The last failed attempt at a revision that is recorded in the log."""

    version: str
    direction: str
    at: datetime
    error: str
    statement: str | None


@dataclass(frozen=True)
class RevisionStatus:
    """One line of migration-status."""

    version: str
    name: str
    kind: str
    """`pair`, `py`, or `missing` where the file isn't there."""
    applied: bool
    path: Path | None = None
    applied_at: datetime | None = None
    execution_time_ms: int | None = None
    checksum: str | None = None
    problems: tuple[str, ...] = ()
    """What is wrong: modified, missing file, missing down, out of order."""
    irreversible: tuple[str, ...] = ()
    """Why there is no way back, where that is so on purpose."""
    failure: Failure | None = None


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
    def pending(self) -> int:
        """How many are not."""
        return len(self.revisions) - self.applied

    @property
    def clean(self) -> bool:
        """Nothing pending, nothing wrong."""
        return not self.pending and not any(revision.problems for revision in self.revisions)


@dataclass(frozen=True)
class Plan:
    """What a rollback will run, in this order."""

    steps: tuple[Revision, ...]
    later: tuple[Revision, ...] = ()
    """Applied revisions above a step that stay applied: the rollback takes from the middle."""

    @property
    def titles(self) -> dict[str, str]:
        """The steps' titles by version."""
        return {step.version: step.title for step in self.steps}


@dataclass(frozen=True)
class TableLoss:
    """A table that loses rows, or values of a column: how many, and whose foreign keys it has."""

    name: str
    rows: int | None
    """None where they could not be counted."""
    exact: bool = True
    referenced_by: tuple[str, ...] = ()
    oid: int = field(default=0, repr=False)


@dataclass(frozen=True)
class StepImpact:
    """What one step takes away."""

    revision: Revision
    losses: tuple[str, ...] = ()
    """One line each, the worst first: `DROP TABLE purchase_orders (containing 150 rows)`."""
    tables: tuple[TableLoss, ...] = ()
    destructive: bool = False
    """Rows can go, or what goes is not known: it must be confirmed."""
    outside: str | None = None
    """Why it runs outside a transaction."""


@dataclass(frozen=True)
class Impact:
    """What a plan takes away, and what it needs."""

    steps: tuple[StepImpact, ...] = ()
    referenced_by: tuple[str, ...] = ()
    """Tables outside the plan whose foreign keys point at what goes."""
    locks: int = 0
    """Estimated entries in the server's lock table, in one transaction."""
    lock_capacity: int = 0

    @property
    def destructive(self) -> bool:
        """Whether the plan must be confirmed."""
        return any(step.destructive for step in self.steps)


@dataclass(frozen=True)
class Rollback:
    """What a rollback of one database would do or has done."""

    database: str
    plan: Plan
    impact: Impact
    scripts: Mapping[str, object] = field(default_factory=dict, repr=False)
    """The parsed down script by version, None for `.py`: what was weighed is what runs."""
    executed: bool = False
    run_id: str = ""

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that it takes back, in this order."""
        return tuple(step.version for step in self.plan.steps)


@dataclass(frozen=True)
class Gap:
    """An up statement that could not be inverted."""

    line: int
    statement: str
    missing: str
    """The missing fact."""


@dataclass(frozen=True)
class GeneratedDown:
    """The result of generate-down for one file."""

    up: Path
    down: Path
    text: str
    gaps: tuple[Gap, ...] = ()
    written: bool = False

    @property
    def complete(self) -> bool:
        """Whether every statement of the up is undone."""
        return not self.gaps


@dataclass(frozen=True)
class StepFailure:
    """Which step of a run failed, and what of the run stays."""

    version: str
    title: str
    direction: str
    """`up` or `down`."""
    path: Path
    message: str
    committed: tuple[str, ...] = ()
    """Steps of this run that were committed before, in order."""
    lasting: bool = False
    """What the step itself had done outside a transaction before it failed stays."""
    statement: tuple[int, int] | None = None
    """Statement m of n failed, where the step is a pair."""
    external: bool = False
    """The transaction belongs to the caller, who decides about it."""
    outside: bool = False
    """The step was not in a transaction."""
    earlier: bool = False
    """env.py had run steps on another database or schema before."""
