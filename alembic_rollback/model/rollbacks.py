"""A rollback: its plan, what it takes away, what checks say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic_rollback.model.revisions import Revision


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
