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


@dataclass(frozen=True)
class Progress:
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


@dataclass(frozen=True)
class Partial:
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


@dataclass(frozen=True)
class Collateral:
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
class StoredDown:
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
    """What is wrong: modified, missing file, missing down, out of order, damaged by rollback of
    <version>."""
    irreversible: tuple[str, ...] = ()
    """Why there is no way back, where that is so on purpose."""
    failure: Failure | None = None
    partial: Partial | None = None
    """It was begun outside a transaction, and neither finished nor undone; it isn't applied."""

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
    column: str = ""
    """The column's name, where only its values go."""
    oid: int = field(default=0, repr=False)


@dataclass(frozen=True)
class Affected:
    """One object of the database that a step takes away or changes."""

    kind: str
    """PostgreSQL's word for it: `table`, `view`, `table constraint`, `policy`, `table column`."""
    name: str
    """Schema-qualified identity (pg_identify_object): `po_items_po_fkey on public.po_items`."""
    shown: str
    """As PostgreSQL's messages call it: `constraint po_items_po_fkey on table po_items`."""
    action: str
    """`dropped`; `changed`; `recreated` where a later statement of the plan makes it again."""
    how: str = "named"
    """`named` by a statement; `CASCADE`; `with` what it is a part of or belongs to."""
    via: str = ""
    """What it hangs on, where it isn't named: `table purchase_orders`."""
    outside: bool = False
    """Neither named by the plan, nor part of what is, nor made by its revisions."""
    address: tuple[int, int, int] = field(default=(0, 0, 0), repr=False)
    """pg_depend's classid, objid, objsubid."""
    source: tuple[int, int, int] | None = field(default=None, repr=False)
    """The address of what it hangs on, or of the table of that."""
    part_of: str = ""
    """What it is a part of: `table purchase_orders`."""
    owner: tuple[int, int, int] | None = field(default=None, repr=False)
    """The address of that."""


@dataclass(frozen=True)
class Obstacle:
    """Why a statement of a down will fail, found before it runs."""

    where: str
    """file:line:column."""
    problem: str
    """`DROP TABLE purchase_orders fails: view order_totals depends on it`."""
    next_step: str = ""


@dataclass(frozen=True)
class Finding:
    """What a check says about a plan."""

    check: str
    """The check's id."""
    level: str
    """`info`, `warn`, `confirm` or `block`."""
    message: str
    """Harm, object and number, in one line."""
    next_step: str = ""
    """What to type or do about it."""


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
    objects: tuple[Affected, ...] = ()
    """Everything that goes or changes, the tables among it, parts of what goes included."""
    unknown: tuple[str, ...] = ()
    """What can do anything: `DO block (line 3)`."""
    obstacles: tuple[Obstacle, ...] = ()
    """Why it will fail."""


@dataclass(frozen=True)
class Impact:
    """What a plan takes away, and what it needs."""

    steps: tuple[StepImpact, ...] = ()
    referenced_by: tuple[str, ...] = ()
    """Tables outside the plan whose foreign keys point at what goes."""
    locks: int = 0
    """Estimated entries in the server's lock table, in one transaction."""
    lock_capacity: int = 0
    relations: tuple[int, ...] = field(default=(), repr=False)
    """The oids of the tables, views and sequences that the plan names, changes or drops."""

    @property
    def destructive(self) -> bool:
        """Whether rows or values can go, or what goes is not known."""
        return any(step.destructive for step in self.steps)

    @property
    def objects(self) -> tuple[Affected, ...]:
        """Everything that goes or changes, in the plan's order."""
        return tuple(one for step in self.steps for one in step.objects)


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
    findings: tuple[Finding, ...] = ()
    """What the checks say, the worst first."""
    identity: tuple[object, ...] = field(default=(), repr=False)
    """What tells this database from every other."""
    command: str = "rollback-db"
    backup: Path | None = None
    """The archive that was taken before it ran."""
    notes: tuple[str, ...] = ()
    """What is left of partial revisions and where it goes on; where a script comes from."""
    archive: str = ""
    """The schema in which what it takes is kept; empty where it is lost."""
    kept: tuple[tuple[str, str], ...] = ()
    """After it: what is kept there, by version: `table orders, values of users`."""
    why: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By version: why a downgrade() could not be read."""

    @property
    def must_ask(self) -> bool:
        """Whether a person must agree.

        rollback-db asks wherever rows could go; Alembic's own downgrade, which pipelines run up
        and down on empty tables, only where a check says so.
        """
        asked = any(finding.level == "confirm" for finding in self.findings)
        return asked or (self.command == "rollback-db" and self.impact.destructive)

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
    rows: bool = False
    """It is about rows; the schema is restored without it."""


@dataclass(frozen=True)
class KeptRows:
    """Rows that a rewritten up keeps for its down."""

    line: int
    """Of the statement that takes them, in the file as it was."""
    table: str
    """As a person would write it."""
    columns: tuple[str, ...]
    """The columns whose values it changes; none where whole rows go."""
    into: str
    """The table in which they are kept, with its schema."""


@dataclass(frozen=True)
class GeneratedDown:
    """The result of generate-down for one file."""

    up: Path
    down: Path
    text: str
    gaps: tuple[Gap, ...] = ()
    state: str = "none"
    """Where the state before the up came from: `live`, `replay`, `given`, or `none`: from nowhere,
    the text alone was read."""
    how: str = "text"
    """`text`, `statements`: the catalog before and after a statement told what its text didn't,
    or `difference`: of the catalogs before and after the whole script."""
    proven: str = ""
    """The version of PostgreSQL on which up, down and up led to the same catalogs; else empty."""
    reordered: tuple[str, ...] = ()
    """Tables whose columns come back in another order."""
    doubt: str = ""
    """Why it isn't proven; also where nobody asked for a proof."""
    rows_in_the_way: str = ""
    """What a second up fails on: rows of the first that the down says it leaves. Then only up and
    down are proven."""
    differences: tuple[str, ...] = ()
    """What it leaves otherwise than it was: `missing index public.orders_total`."""
    notes: tuple[str, ...] = ()
    """Why a state that was looked for could not be had."""
    schema_only: bool = False
    """Rows were not to count."""
    unasked: bool = False
    """No proof was asked for."""
    written: bool = False
    outdated: bool = False
    """With --check: the file on disk is missing, or would do something else."""
    kept: tuple[KeptRows, ...] = ()
    """What the up keeps by `up_text`."""
    up_text: str = ""
    """The up as it was rewritten to keep rows; empty where it stays as it is."""

    @property
    def complete(self) -> bool:
        """Whether every statement of the up is undone."""
        return all(gap.rows for gap in self.gaps) if self.schema_only else not self.gaps

    @property
    def sound(self) -> bool:
        """Whether it is complete and, if that was asked for, proven."""
        return self.complete and (bool(self.proven) or (self.unasked and not self.differences))


@dataclass(frozen=True)
class LogRow:
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
    partial: Partial | None = None
    """How far the step got, where something of it stays: it ran outside a transaction."""
    external: bool = False
    """The transaction belongs to env.py or its caller, who decides about it."""
    backend: int = 0
    """The server's process that holds that transaction; 0 where it isn't external."""
    outside: bool = False
    """The step was not in a transaction."""
    earlier: bool = False
    """env.py had run steps on another database or schema before."""
    recorded: bool = True
    """The log could be asked what was committed, and says that the step failed."""
    lost: bool = False
    """The connection was lost; the script is not at fault."""


@dataclass(frozen=True)
class StatementMark:
    """What repair-db says of one statement of a partial revision."""

    number: int
    """From 1, as in the file."""
    text: str
    before: str
    """`executed`, `executed with another text`, `in doubt` or `not executed`."""
    after: str
    """`executed`, `not executed` or `no longer in the file`."""


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
