"""Impact: what a plan takes away, from its parsed scripts and the live catalog, before it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alembic_rollback.catalog import tables as catalog
from alembic_rollback.errors import shown_path
from alembic_rollback.model import Impact, Plan, Revision, StepImpact, TableLoss
from alembic_rollback.sql.effects import Effect, Loss, effects, named_relations
from alembic_rollback.sql.parser import Statement
from alembic_rollback.sql.script import Script

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_LOCKS_ELSEWHERE, _LOCKS_UNKNOWN = 4, 20
"""Entries in the lock table for a statement about something that stays (the relation, an index or
two, a dropped object); and for a `.py` downgrade or a statement that names nothing."""
_WHOLE_TABLE = ("table", "materialized view", "foreign table")


def assess(
    connection: Connection, plan: Plan, scripts: Mapping[str, Script | None], count_limit: int
) -> Impact:
    """Say what each step of a plan would take away. Reads only.

    scripts: the parsed down script by version; None for a `.py` revision, whose effect is not
    known. A table is counted once, in the first step that takes it.
    """
    reader = _Reader(connection, count_limit)
    steps = [reader.step(revision, scripts[revision.version]) for revision in plan.steps]
    oids = reader.dropped
    return Impact(
        steps=tuple(steps),
        referenced_by=catalog.referencing_tables(connection, oids) if oids else (),
        locks=catalog.count_dependants(connection, oids) + reader.other_locks,
        lock_capacity=catalog.lock_capacity(connection),
    )


@dataclass
class _Step:
    lines: list[str] = field(default_factory=list)
    tables: list[TableLoss] = field(default_factory=list)
    related: list[str] = field(default_factory=list)
    """Kinds of what hangs on the dropped tables: `indexes`, `policies`."""
    destructive: bool = False


class _Reader:
    def __init__(self, connection: Connection, count_limit: int) -> None:
        self.connection, self.count_limit = connection, count_limit
        self.dropped: set[int] = set()
        self.gone: set[tuple[str, ...]] = set()
        """Names, as written, of what is dropped or belongs to something dropped."""
        self.other_locks = 0

    def step(self, revision: Revision, script: Script | None) -> StepImpact:
        if script is None:
            self.other_locks += _LOCKS_UNKNOWN
            line = f"run downgrade() of {shown_path(revision.path)}: what it destroys is not known"
            return StepImpact(revision, (line,), destructive=True)
        found = _Step()
        every = [effect for statement in script.statements for effect in effects(statement)]
        # Tables first: what belongs to them is then folded into one line.
        for effect in sorted(every, key=lambda effect: effect.loss is Loss.DEFINITION):
            self._note(effect, found)
        if found.related:
            found.lines.append(f"DROP related {_listed(found.related)}")
        self.other_locks += sum(self._locks(statement) for statement in script.statements)
        tables = tuple(found.tables)
        return StepImpact(revision, tuple(found.lines), tables, found.destructive, script.outside)

    def _locks(self, statement: Statement) -> int:
        """Entries beyond those of the dropped tables and what hangs on them."""
        names = named_relations(statement)
        if not names:
            return _LOCKS_UNKNOWN
        return _LOCKS_ELSEWHERE * len(names - self.gone)

    def _note(self, effect: Effect, found: _Step) -> None:
        if effect.loss is Loss.UNKNOWN:
            found.destructive = True
            place = f"line {effect.statement.where.line}"
            found.lines.append(f"{effect.shown} ({place}): what it does is not known")
        elif effect.loss is Loss.ROWS:
            found.destructive = True
            self._note_rows(effect, found)
        elif not self._belongs_to_dropped(effect):
            found.lines.append(effect.shown)

    def _note_rows(self, effect: Effect, found: _Step) -> None:
        if effect.kind == "schema":
            inside = catalog.tables_in_schema(self.connection, effect.name[-1])
            found.lines.append(f"{effect.shown} ({len(inside)} tables)")
            for one in inside:
                self._note_table(f"DROP TABLE {one.shown}", one, found, dropped=True)
            return
        whole = effect.kind in _WHOLE_TABLE
        if not whole and effect.kind not in ("column", "rows"):
            found.lines.append(effect.shown)
            return
        table = catalog.find_table(self.connection, effect.name)
        if table is None:
            found.lines.append(f"{effect.shown} (does not exist)")
        elif effect.kind == "column":
            self._note_column(effect, table, found)
        else:
            dropped = whole and effect.action.startswith("DROP")
            self._note_table(effect.shown, table, found, dropped=dropped)

    def _note_table(self, words: str, table: catalog.Table, found: _Step, *, dropped: bool) -> None:
        if table.oid in self.dropped:
            return
        counted = catalog.count_rows(self.connection, table, self.count_limit)
        found.lines.append(f"{words} (containing {shown_rows(counted.rows, counted.exact)})")
        referenced: tuple[str, ...] = ()
        if dropped:
            self.dropped.add(table.oid)
            self.gone |= {(table.name,), (table.schema, table.name)}
            referenced = catalog.referencing_tables(self.connection, [table.oid])
            for kind, number in (
                ("indexes", table.indexes),
                ("policies", table.policies),
                ("triggers", table.triggers),
            ):
                if number and kind not in found.related:
                    found.related.append(kind)
        found.tables.append(TableLoss(table.shown, counted.rows, counted.exact, referenced))

    def _note_column(self, effect: Effect, table: catalog.Table, found: _Step) -> None:
        if table.oid in self.dropped:
            return
        column = effect.column
        if column not in catalog.columns_of(self.connection, table.oid):
            found.lines.append(f"{effect.shown} (does not exist)")
            return
        counted = catalog.count_rows(self.connection, table, self.count_limit, column=column)
        values = shown_rows(counted.rows, counted.exact).replace("row", "value")
        found.lines.append(f"{effect.shown} (containing {values})")

    def _belongs_to_dropped(self, effect: Effect) -> bool:
        if effect.kind == "index":
            belongs = catalog.table_of_index(self.connection, effect.name) in self.dropped
            if belongs:
                self.gone.add(effect.name)
            return belongs
        if effect.kind in ("policy", "trigger", "constraint"):
            table = catalog.find_table(self.connection, effect.name)
            return table is not None and table.oid in self.dropped
        return False


def shown_rows(rows: int | None, exact: bool) -> str:
    """`150 rows`, `~2000000 rows`, `an unknown number of rows`."""
    if rows is None:
        return "an unknown number of rows"
    return f"{'' if exact else '~'}{rows} row{'' if rows == 1 else 's'}"


def _listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
