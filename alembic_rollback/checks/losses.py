"""What one statement takes that cannot be written again: rows of tables and values of columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alembic_rollback.catalog import tables as catalog
from alembic_rollback.catalog.counting import (
    Budget,
    RowCount,
    count_changed,
    count_many,
    count_rows,
    estimated,
)
from alembic_rollback.catalog.dependencies import PG_CLASS, Address
from alembic_rollback.model import TableLoss
from alembic_rollback.sql.build import expression_text, kind_of, nodes, type_text
from alembic_rollback.sql.kept import is_kept_by_up
from alembic_rollback.sql.names import quote_always, quote_identifier

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.catalog.objects import Found
    from alembic_rollback.checks.simulation.world import Change, World
    from alembic_rollback.sql.effects import Effect

_WITH_ROWS = {"r": "TABLE", "p": "TABLE", "m": "MATERIALIZED VIEW", "f": "FOREIGN TABLE"}
_ONLY_CASTS = {"A_Const", "ColumnRef", "Integer", "String", "TypeCast", "TypeName"}
"""Nodes of an expression that calls nothing and reads nothing but the row."""


@dataclass
class Taken:
    """What a step takes, line by line."""

    lines: list[str] = field(default_factory=list)
    tables: list[TableLoss] = field(default_factory=list)
    related: list[str] = field(default_factory=list)
    """Kinds of what hangs on the dropped tables: `indexes`, `policies`."""
    unknown: list[str] = field(default_factory=list)
    dropped: set[int] = field(default_factory=set)
    """The tables that this step drops."""
    destructive: bool = False


class Losses:
    """Counts what statements take, each table once in a plan."""

    def __init__(self, connection: Connection, world: World, budget: Budget, uncounted: set[int]):
        """uncounted: tables that are not to be counted again, but estimated."""
        self.connection, self.world, self.budget = connection, world, budget
        self.uncounted = uncounted
        self.dropped: set[int] = set()
        self.dropped_schemas: set[int] = set()
        self.put_back: frozenset[tuple[str, ...]] = frozenset()
        """What the script at hand puts back before it drops it."""
        self._tables: dict[int, catalog.Table] = {}
        self._counts: dict[int, RowCount] = {}
        """Of tables that the plan drops, their own rows."""
        self._referencing: dict[int, tuple[str, ...]] = {}

    def preload(self, dropped: Iterable[Address]) -> None:
        """Read and count many tables that the plan drops, in few queries."""
        oids = {address.objid for address in dropped}
        tables = [table for oid in oids if (table := self._tables.get(oid)) and table.kind == "r"]
        wanted = [table for table in tables if table.oid not in self.uncounted]
        self._counts = count_many(self.connection, wanted, self.budget)
        referencing = catalog.referencing_each(self.connection, oids) if oids else {}
        self._referencing = {oid: referencing.get(oid, ()) for oid in oids}

    def table(self, address: Address) -> catalog.Table | None:
        """A relation of the catalog; None for what the plan itself makes."""
        if address.objid > 0 and address.objid not in self._tables:
            self.load([address])
        return self._tables.get(address.objid)

    def load(self, addresses: Iterable[Address]) -> None:
        """Read many relations in one query."""
        oids = {a.objid for a in addresses if a.classid == PG_CLASS and a.objid > 0}
        new = {oid for oid in oids if oid not in self._tables}  # a difference reads all keys
        if new:
            self._tables |= catalog.tables_by_oid(self.connection, new)

    def note_schema(self, effect: Effect, found: Taken) -> None:
        """Every table of a dropped schema."""
        schema = self.world.names.find("schema", effect.name)
        if schema is None:
            if not self.world.names.is_gone("schema", effect.name):
                found.lines.append(f"{effect.shown} (no such schema now)")
            return
        inside = catalog.tables_in_schema(self.connection, schema.address.objid)
        self.dropped_schemas.add(schema.address.objid)
        plural = "table" if len(inside) == 1 else "tables"
        found.lines.append(f"{effect.shown} ({len(inside)} {plural})")
        for table in inside:
            self._tables[table.oid] = table
            self.note_table(f"DROP TABLE {table.shown}", table, found, dropped=True)

    def note_rows(self, effect: Effect, found: Taken) -> None:
        """A table, or rows or a column of one."""
        relation = self.world.relation(effect.name)
        if relation is None:
            if not self.world.names.is_gone("relation", effect.name):
                found.destructive = True
                found.lines.append(f"{effect.shown} (no such table now)")
            return
        table = self.table(relation.address)
        if table is None:
            return  # the plan itself has made it: nothing was in it before
        if effect.kind == "column":
            self._note_column(effect, relation, table, found)
            return
        dropped = effect.action.startswith("DROP")
        found.destructive = found.destructive or not (dropped and self._is_put_back(table))
        self.note_table(effect.shown, table, found, dropped=dropped)
        if not dropped:
            self._note_reached(effect, table, found)

    def note_table(self, words: str, table: catalog.Table, found: Taken, *, dropped: bool) -> None:
        """A table with its rows, and what kinds of things hang on it."""
        if table.oid in self.dropped:
            return
        only = dropped and table.kind == "r"
        counted = self._count(table, only=only)
        if dropped and self._is_put_back(table):
            self.dropped.add(table.oid)
            found.lines.append(f"{words} ({_shown(counted)} that the up has kept, put back before)")
            return
        found.destructive = True
        found.lines.append(f"{words} (containing {_shown(counted)})")
        referenced: tuple[str, ...] = ()
        if dropped:
            self.dropped.add(table.oid)
            found.dropped.add(table.oid)
            referenced = self._referencing_table(table.oid)
            for kind, number in (
                ("indexes", table.indexes),
                ("policies", table.policies),
                ("triggers", table.triggers),
            ):
                if number and kind not in found.related:
                    found.related.append(kind)
        found.tables.append(
            TableLoss(table.shown, counted.rows, counted.exact, referenced, oid=table.oid)
        )

    def _is_put_back(self, table: catalog.Table) -> bool:
        return is_kept_by_up(table.name) and (table.schema, table.name) in self.put_back

    def _referencing_table(self, oid: int) -> tuple[str, ...]:
        if oid not in self._referencing:
            self._referencing[oid] = catalog.referencing_tables(self.connection, [oid])
        return self._referencing[oid]

    def note_cascade(self, change: Change, found: Taken) -> None:
        """Tables and columns that a statement takes without naming them."""
        for deletion in change.deletions:
            self.load(deletion.reached)
            for address in deletion.reached:
                if address.classid != PG_CLASS or address in deletion.originals:
                    continue
                if address.objsubid:
                    if address.whole not in deletion.reached:
                        self._note_cascaded_column(address, found)
                    continue
                table = self.table(address)
                if table and table.parent and Address(PG_CLASS, table.parent) in deletion:
                    self.dropped.add(table.oid)
                elif table and table.kind in _WITH_ROWS:
                    words = f"DROP {_WITH_ROWS[table.kind]} {table.shown} by CASCADE"
                    self.note_table(words, table, found, dropped=True)

    def _note_cascaded_column(self, address: Address, found: Taken) -> None:
        table = self.table(address.whole)
        if table is None or table.kind not in _WITH_ROWS or address.objsubid >= 10_000:
            return
        name = catalog.column_name(self.connection, table.oid, address.objsubid)
        counted = self._count(table, column=name)
        found.destructive = True
        values = _shown_values(counted)
        words = f"DROP COLUMN {quote_identifier(name)} OF {table.shown} by CASCADE"
        found.lines.append(f"{words} (containing {values})")
        found.tables.append(
            TableLoss(table.shown, counted.rows, counted.exact, (), name, table.oid)
        )

    def _note_reached(self, effect: Effect, table: catalog.Table, found: Taken) -> None:
        """TRUNCATE … CASCADE empties other tables; DELETE takes rows of others with it."""
        if effect.action == "TRUNCATE" and effect.cascade:
            reached = catalog.reached_by_foreign_keys(self.connection, table.oid, deleting=False)
            for other in reached:
                self.note_table(f"TRUNCATE {other.shown} by CASCADE", other, found, dropped=False)
        elif effect.action == "DELETE FROM":
            reached = catalog.reached_by_foreign_keys(self.connection, table.oid, deleting=True)
            for other in reached:
                words = f"DELETE FROM {other.shown} by ON DELETE CASCADE"
                self.note_table(words, other, found, dropped=False)

    def _note_column(
        self, effect: Effect, relation: Found, table: catalog.Table, found: Taken
    ) -> None:
        column = self.world.names.column(relation.address, effect.column)
        if column is not None and column.objsubid >= 10_000:
            return  # the plan itself has added it
        found.destructive = True
        if column is None:
            found.lines.append(f"{effect.shown} (no such column now)")
            return
        name = catalog.column_name(self.connection, table.oid, column.objsubid)
        if effect.action.startswith("DROP"):
            counted = self._count(table, column=name)
            found.lines.append(f"{effect.shown} (containing {_shown_values(counted)})")
        else:
            counted = self._note_type_change(effect, table, name, found)
        found.tables.append(
            TableLoss(table.shown, counted.rows, counted.exact, (), name, table.oid)
        )

    def _note_type_change(
        self, effect: Effect, table: catalog.Table, column: str, found: Taken
    ) -> RowCount:
        converted = conversion(effect, column)
        counted = converted and count_changed(
            self.connection, table, column, converted, self.budget
        )
        if not counted:
            every = self._count(table, column=column)
            found.lines.append(f"{effect.shown} (containing {_shown_values(every)})")
            return every
        cut, every = counted
        if cut.rows == 0 and cut.exact:
            found.lines.append(f"{effect.shown} ({_shown_values(every)}, none of them changed)")
        else:
            found.lines.append(
                f"{effect.shown} (changing {shown_rows(cut.rows, cut.exact).split()[0]} of "
                f"{_shown_values(every)})"
            )
        return cut

    def _count(
        self, table: catalog.Table, *, column: str | None = None, only: bool = False
    ) -> RowCount:
        if table.oid in self.uncounted:
            return estimated(table)
        if only and table.oid in self._counts:
            return self._counts[table.oid]
        return count_rows(self.connection, table, self.budget, column=column, only=only)


def shown_rows(rows: int | None, exact: bool) -> str:
    """`150 rows`, `~2000000 rows`, `an unknown number of rows`."""
    if rows is None:
        return "an unknown number of rows"
    return f"{'' if exact else '~'}{rows} row{'' if rows == 1 else 's'}"


def _shown(counted: RowCount, what: str = "row") -> str:
    number = shown_rows(counted.rows, counted.exact).replace("row", what)
    return f"{number}: {counted.why}" if counted.why else number


def _shown_values(counted: RowCount) -> str:
    return _shown(counted, "value")


def conversion(effect: Effect, column: str) -> str | None:
    """The new value as an expression of the old one; None where it is more than a cast."""
    for item in effect.statement.node.cmds:
        command: Any = item.alter_table_cmd
        new = getattr(command, "def").column_def
        if command.name != effect.column or not new.HasField("type_name"):
            continue
        source = quote_always(column)
        if new.HasField("raw_default"):
            if not {kind_of(node) for node in nodes(new.raw_default)} <= _ONLY_CASTS:
                return None
            if column != effect.column:
                return None  # the expression calls it by a name that it hasn't yet
            source = expression_text(new.raw_default)
        return f"CAST({source} AS {type_text(new.type_name)})"
    return None
