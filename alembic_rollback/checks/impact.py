"""Impact: what a plan takes away, from its parsed scripts and the live catalog, before it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alembic_rollback.catalog import tables as catalog
from alembic_rollback.checks.names import Names
from alembic_rollback.errors import shown_path
from alembic_rollback.model import Impact, Plan, Revision, StepImpact, TableLoss
from alembic_rollback.sql.effects import Effect, Loss, effects, named_relations
from alembic_rollback.sql.parser import Statement
from alembic_rollback.sql.script import Script

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_LOCKS_ELSEWHERE, _LOCKS_UNKNOWN = 4, 20
"""Entries in the lock table for a statement about something that is no table; and for a `.py`
downgrade or a statement that names nothing."""
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
    tables = reader.dropped
    locks = catalog.count_locks_of_drop(connection, tables, reader.dropped_schemas)
    return Impact(
        steps=tuple(steps),
        referenced_by=catalog.referencing_tables(connection, tables) if tables else (),
        locks=locks + reader.other_locks,
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
    """Reads a plan's scripts in order; what one step drops or renames, the next finds so."""

    def __init__(self, connection: Connection, count_limit: int) -> None:
        self.connection, self.count_limit = connection, count_limit
        self.names = Names(connection)
        self.dropped: set[int] = set()
        self.dropped_schemas: set[int] = set()
        self.gone: set[tuple[str, ...]] = set()
        """Names, as written, of what is dropped or belongs to something dropped."""
        self.other_locks = 0

    def step(self, revision: Revision, script: Script | None) -> StepImpact:
        if script is None:
            self.other_locks += _LOCKS_UNKNOWN
            line = f"run downgrade() of {shown_path(revision.path)}: what it destroys is not known"
            return StepImpact(revision, (line,), destructive=True)
        found, definitions = _Step(), list[Effect]()
        with self.names.script(script):
            for statement in script.statements:
                for effect in effects(statement):
                    if effect.loss is Loss.DEFINITION:
                        definitions.append(effect)
                    else:
                        self._note(effect, found)
                self.names.follow(statement)
            # Tables first: what belongs to them is then folded into one line.
            for effect in definitions:
                if not self._belongs_to_dropped(effect):
                    found.lines.append(effect.shown)
            self.other_locks += sum(self._locks(statement) for statement in script.statements)
        if found.related:
            found.lines.append(f"DROP related {_listed(found.related)}")
        tables = tuple(found.tables)
        return StepImpact(revision, tuple(found.lines), tables, found.destructive, script.outside)

    def _locks(self, statement: Statement) -> int:
        """Entries beyond those of the dropped tables and what hangs on them."""
        names = named_relations(statement)
        if not names:
            return _LOCKS_UNKNOWN
        return sum(self._locks_of_use(name) for name in names - self.gone)

    def _locks_of_use(self, name: tuple[str, ...]) -> int:
        table = self.names.find(name)
        if table is None:
            return _LOCKS_ELSEWHERE
        return catalog.count_locks_of_use(self.connection, table.oid)

    def _note(self, effect: Effect, found: _Step) -> None:
        if effect.kind == "function call" and self._is_harmless(effect.name):
            return
        found.destructive = True
        if effect.loss is Loss.UNKNOWN:
            place = f"line {effect.statement.where.line}"
            found.lines.append(f"{effect.shown} ({place}): what it does is not known")
        elif effect.kind == "schema":
            self._note_schema(effect, found)
        elif effect.kind in (*_WHOLE_TABLE, "column", "rows"):
            self._note_rows(effect, found)
        else:
            found.lines.append(effect.shown)

    def _is_harmless(self, name: tuple[str, ...]) -> bool:
        return catalog.is_harmless_function(self.connection, name)

    def _note_schema(self, effect: Effect, found: _Step) -> None:
        oid = catalog.schema_oid(self.connection, effect.name[-1])
        if oid is None:
            found.lines.append(f"{effect.shown} (no such schema now)")
            return
        self.dropped_schemas.add(oid)
        inside = catalog.tables_in_schema(self.connection, effect.name[-1])
        plural = "table" if len(inside) == 1 else "tables"
        found.lines.append(f"{effect.shown} ({len(inside)} {plural})")
        for table in inside:
            self._note_table(f"DROP TABLE {table.shown}", table, found, dropped=True)

    def _note_rows(self, effect: Effect, found: _Step) -> None:
        table = self.names.find(effect.name)
        if table is None:
            found.lines.append(f"{effect.shown} (no such table now)")
        elif effect.kind == "column":
            self._note_column(effect, table, found)
        else:
            dropped = effect.kind in _WHOLE_TABLE and effect.action.startswith("DROP")
            self._note_table(effect.shown, table, found, dropped=dropped)
            if not dropped:
                self._note_reached(effect, table, found)

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
        found.tables.append(
            TableLoss(table.shown, counted.rows, counted.exact, referenced, table.oid)
        )

    def _note_reached(self, effect: Effect, table: catalog.Table, found: _Step) -> None:
        """TRUNCATE … CASCADE empties other tables; DELETE takes rows of others with it."""
        if effect.action == "TRUNCATE" and effect.cascade:
            reached = catalog.reached_by_foreign_keys(self.connection, table.oid, deleting=False)
            for other in reached:
                self._note_table(f"TRUNCATE {other.shown} by CASCADE", other, found, dropped=False)
        elif effect.action == "DELETE FROM":
            reached = catalog.reached_by_foreign_keys(self.connection, table.oid, deleting=True)
            for other in reached:
                words = f"DELETE FROM {other.shown} by ON DELETE CASCADE"
                self._note_table(words, other, found, dropped=False)

    def _note_column(self, effect: Effect, table: catalog.Table, found: _Step) -> None:
        if table.oid in self.dropped:
            return
        column = self.names.column(table, effect.column)
        if column not in catalog.columns_of(self.connection, table.oid):
            found.lines.append(f"{effect.shown} (no such column now)")
            return
        counted = catalog.count_rows(self.connection, table, self.count_limit, column=column)
        found.tables.append(TableLoss(table.shown, counted.rows, counted.exact, (), table.oid))
        values = shown_rows(counted.rows, counted.exact).replace("row", "value")
        found.lines.append(f"{effect.shown} (containing {values})")

    def _belongs_to_dropped(self, effect: Effect) -> bool:
        if effect.kind == "index":
            belongs = catalog.table_of_index(self.connection, effect.name) in self.dropped
            if belongs:
                self.gone.add(effect.name)
            return belongs
        if effect.kind in ("policy", "trigger", "constraint"):
            table = self.names.find(effect.name)
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
