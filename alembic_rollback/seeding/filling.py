"""Every table gets its rows, parents first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alembic_rollback.seeding import facts
from alembic_rollback.seeding.facts import Facts, ForeignKey, Name, Table, query
from alembic_rollback.seeding.inserting import (
    NotSeeded,
    compose,
    insert,
    insert_together,
    quiet,
)
from alembic_rollback.seeding.options import Chooser, Row, Source, bound_columns
from alembic_rollback.seeding.order import together
from alembic_rollback.sql.names import quote_always, quote_name

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


@dataclass(frozen=True)
class Seeded:
    """What has become of the tables; each by schema and name."""

    rows: Mapping[Name, int]
    """How many rows every table has now; a partitioned one, those of its partitions."""
    unseeded: tuple[tuple[Name, str], ...] = ()
    """Tables that have no row, with the reason: the server's message where there is one."""
    quieted: tuple[Name, ...] = ()
    """Tables whose triggers and rules were disabled for the INSERT, and are as they were again."""


def seed(
    connection: Connection,
    rows: int = 3,
    tables: Iterable[int] | None = None,
    *,
    without: Collection[Name] = (),
) -> Seeded:
    """Fill the user tables of a throw-away database with up to `rows` rows each.

    Rows that are there stay and count. Nothing is committed. The connection must be in a
    transaction, in which deferrable constraints are immediate from now on. Identities and columns
    with a sequence take their next values. Where a table takes no row, its users' triggers and
    rules are disabled for a second attempt.

    tables: the oids of those that are filled, partitions with their parents; else all. without:
    tables that are left alone, by schema and name. What cannot be seeded is no error but reported.
    Raises DBAPIError where the catalog cannot be read or a constraint is violated already.
    """
    facts.run(connection, "SET CONSTRAINTS ALL IMMEDIATE")
    known = facts.read(connection, tables)
    left_alone = set(without)
    for oid in [oid for oid, table in known.tables.items() if table.name in left_alone]:
        del known.tables[oid]
    filler = _Filler(connection, known, rows)
    filler.run()
    facts.count(connection, known.tables.values())
    return Seeded(
        {table.name: table.rows for table in known.tables.values()},
        tuple(filler.unseeded()) if rows > 0 else (),
        tuple(filler.quieted),
    )


class _Filler:
    def __init__(self, connection: Connection, known: Facts, rows: int) -> None:
        self.connection, self.tables, self.rows = connection, known.tables, rows
        self.chooser = Chooser(connection, known.types)
        self.many = 4 * rows + 8
        """How many values and keys a table's rows are chosen from."""
        self.reasons: dict[int, str] = {}
        self.quieted: list[Name] = []
        self.keys: dict[tuple[int, tuple[str, ...]], list[tuple[str | None, ...]]] = {}
        self.first = {oid: table.rows + 1 for oid, table in self.tables.items()}
        """By root, the number from which on values are new."""
        self.open = {
            oid: table
            for oid, table in self.tables.items()
            if table.kind == "r" and table.rows < rows
        }

    def run(self) -> None:
        needs = {oid: set(self._needs(table)) for oid, table in self.open.items()}
        for oids in together(needs):
            some = [self.open[oid] for oid in oids]
            if len(some) > 1 or oids[0] in needs[oids[0]]:
                self._fill_cycle(some)
            else:
                self._fill(some[0])

    def unseeded(self) -> Iterator[tuple[Name, str]]:
        """The tables without a row."""
        above = {up for oid in self.tables for up in facts.lineage(self.tables, oid)[1:]}
        for oid, table in self.tables.items():
            if table.rows:
                continue
            if table.kind == "r":
                yield table.name, self.reasons.get(oid, "its rows were taken away again")
            elif oid in above:
                yield table.name, "its partitions have no rows"
            else:
                yield table.name, "it has no partition that holds rows"

    def _needs(self, table: Table) -> Iterator[int]:
        for key in table.foreign_keys:
            yield from (one.oid for one in self._leaves(key.target))

    def _leaves(self, oid: int) -> list[Table]:
        """The table to be filled, or those among the partitions."""
        if oid in self.tables and self.tables[oid].kind == "r":
            return [self.open[oid]] if oid in self.open else []
        return [t for t in self.open.values() if oid in facts.lineage(self.tables, t.oid)]

    # One table

    def _fill(self, table: Table) -> bool:
        try:
            given = [s for key in table.foreign_keys for s in self._reference(table, key)]
            self._insert(table, given)
        except NotSeeded as error:
            self.reasons.setdefault(table.oid, str(error))
            return False
        return True

    def _insert(self, table: Table, given: list[Source]) -> None:
        need = self.rows - table.rows
        # Without the checks as a last resort: the server then says what is wrong.
        rows = self._rows(table, given) or self._rows(table, given, checked=False)
        if not rows:
            raise NotSeeded("there are no values for its columns")
        try:
            insert(self.connection, table, rows, need)
        except NotSeeded:
            if not table.switches:
                raise
            with quiet(self.connection, [table]):
                insert(self.connection, table, rows, need)
            self.quieted.append(table.name)
        self._filled(table, need)

    def _filled(self, table: Table, need: int) -> None:
        root = self._root(table)
        self.first[root] += need
        changed = set(facts.lineage(self.tables, table.oid))
        self.keys = {key: rows for key, rows in self.keys.items() if key[0] not in changed}

    def _root(self, table: Table) -> int:
        return table.root if table.root in self.first else table.oid

    def _rows(
        self,
        table: Table,
        given: list[Source],
        *,
        own: Collection[str] = (),
        checked: bool = True,
    ) -> list[Row]:
        """Rows to insert. own: columns that get a value although they have a sequence."""
        known = {name for source in given for name in source.columns}
        chosen = known | bound_columns(table) | set(own)
        columns = [
            column.name
            for column in table.columns.values()
            if not column.generated and (not column.next or column.name in chosen)
        ]
        first = self.first[self._root(table)]
        groups = self.chooser.options(table, columns, given, first, self.many, checked=checked)
        need = self.rows - table.rows
        return compose(groups, table.uniques, need, need + 4)

    # Foreign keys

    def _reference(
        self, table: Table, key: ForeignKey, planned: Sequence[tuple[str | None, ...]] = ()
    ) -> Iterator[Source]:
        """What the columns of a foreign key can be: keys that there are, or NULL."""
        nullable = [self.chooser.nullable(table.columns[name]) for name in key.columns]
        rows = list(planned) or self._keys(key)
        if key.full and not all(nullable):
            nullable = [False] * len(nullable)
        if rows:
            null = [
                tuple(None if may else v for v, may in zip(row, nullable, strict=True))
                for row in rows
            ]
            more = dict.fromkeys(null) if any(nullable) else {}
            yield Source(key.columns, [*rows, *more])
        elif any(nullable):
            for name, may in zip(key.columns, nullable, strict=True):
                if may:
                    yield Source((name,), [(None,)])
        else:
            target = quote_name(key.target_name)
            raise NotSeeded(f"foreign key {key.name}: {target} has no rows")

    def _keys(self, key: ForeignKey) -> list[tuple[str | None, ...]]:
        place = key.target, key.target_columns
        if place not in self.keys:
            names = [quote_always(name) for name in key.target_columns]
            only = "ONLY " if key.target_kind == "r" else ""
            found = query(
                self.connection,
                f"SELECT {', '.join(f'CAST({name} AS text)' for name in names)} "
                f"FROM {only}{facts.quoted(key.target_name)} "
                f"WHERE num_nulls({', '.join(names)}) = 0 LIMIT {self.many}",
            )
            self.keys[place] = [tuple(row) for row in found]
        return self.keys[place]

    # Tables that need each other

    def _fill_cycle(self, tables: list[Table]) -> None:
        try:
            self._fill_together(tables)
            return
        except NotSeeded as error:
            reason = str(error)
        # With NULL in what refers to rows that aren't there yet.
        left, before = tables, len(tables) + 1
        while left and len(left) < before:
            before = len(left)
            left = [table for table in left if not self._fill(table)]
        for table in left:
            self.reasons[table.oid] = reason

    def _fill_together(self, tables: list[Table]) -> None:
        plan = {table.oid: self._planned(table, tables) for table in tables}
        rows = [(table, self._joined_rows(table, tables, plan)) for table in tables]
        try:
            insert_together(self.connection, rows)
        except NotSeeded:
            if not any(table.switches for table in tables):
                raise
            with quiet(self.connection, tables):
                insert_together(self.connection, rows)
            self.quieted += [table.name for table in tables if table.switches]
        for table in tables:
            self._filled(table, self.rows - table.rows)

    def _inside(self, key: ForeignKey, tables: list[Table]) -> list[int]:
        """Those of the tables that a foreign key points at."""
        wanted = {table.oid for table in self._leaves(key.target)}
        return [table.oid for table in tables if table.oid in wanted]

    def _planned(self, table: Table, tables: list[Table]) -> Source:
        """The keys that a table will have and that the others refer to, made beforehand."""
        names = dict.fromkeys(
            name
            for other in tables
            for key in other.foreign_keys
            if table.oid in self._inside(key, tables)
            for name in key.target_columns
        )
        given = [
            source
            for key in table.foreign_keys
            if not self._inside(key, tables)
            for source in self._reference(table, key)
        ]
        known = {name for source in given for name in source.columns}
        given += [self._next(table, name) for name in names if name not in known]
        given = [source for source in given if source.rows]
        need = self.rows - table.rows
        rows = self._rows(table, given)[:need]
        if not rows or any(name not in rows[0] for name in names):
            raise NotSeeded("the keys that it and other tables refer to cannot be chosen")
        return Source(tuple(names), [tuple(row[name] for name in names) for row in rows])

    def _next(self, table: Table, name: str) -> Source:
        """The next values of a column's sequence; none where it has no such default."""
        following = table.columns[name].next
        if not following:
            return Source((name,), [])
        need = self.rows - table.rows
        sql = f"SELECT CAST({following} AS text) FROM generate_series(1, {need})"
        return Source((name,), [tuple(row) for row in query(self.connection, sql)])

    def _joined_rows(
        self, table: Table, tables: list[Table], plan: Mapping[int, Source]
    ) -> list[Row]:
        given = [plan[table.oid]]
        for key in table.foreign_keys:
            inside = self._inside(key, tables)
            keys = [one for oid in inside for one in _of(plan[oid], key.target_columns)]
            if inside == [table.oid]:
                keys = self._next_ones(table, key, keys)
            given += self._reference(table, key, keys)
        need = self.rows - table.rows
        rows = self._rows(table, given)[:need]
        if len(rows) < len(plan[table.oid].rows):
            raise NotSeeded("there are no values that satisfy its constraints")
        return rows

    def _next_ones(
        self, table: Table, key: ForeignKey, keys: list[tuple[str | None, ...]]
    ) -> list[tuple[str | None, ...]]:
        """Its own keys so that each row refers to the next: recursive queries never leave loops."""
        if len(keys) == 1 and any(self.chooser.nullable(table.columns[one]) for one in key.columns):
            return []
        return [*keys[1:], *keys[-1:], *keys]


def _of(source: Source, columns: Sequence[str]) -> list[tuple[str | None, ...]]:
    places = [source.columns.index(name) for name in columns]
    found = [tuple(row[place] for place in places) for row in source.rows]
    return [row for row in found if None not in row]
