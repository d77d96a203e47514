"""An up made to keep the rows that it changes or deletes, so that its down can put them back.

The statement itself stays as it is written, in a WITH around it: RETURNING tells which rows it
touched, whatever its conditions, and the rest of a WITH sees them as they were before (7.8.4,
"Data-Modifying Statements in WITH"). The lock keeps others from changing them in between. A
TRUNCATE cannot stand in a WITH: its tables are copied first, locked as it will lock them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alembic_rollback.archive.capturing import key_of
from alembic_rollback.archive.moving import Kept as KeptColumn
from alembic_rollback.archive.moving import columns_of
from alembic_rollback.archive.store import fitting
from alembic_rollback.catalog.references import has_heirs, set_by_update
from alembic_rollback.catalog.tables import (
    Table,
    firing_triggers,
    reached_by_foreign_keys,
    table_named,
)
from alembic_rollback.derivation.cascading import Cascade, cascades, parents_first
from alembic_rollback.inverse.generate import lost_rows
from alembic_rollback.inverse.kept import listed
from alembic_rollback.sql.build import enum_name, inner, kind_of, relation_text
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.kept import AFTER, KEPT, TABLES, WAS, kept_by
from alembic_rollback.sql.names import quote_identifier, quote_name

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.derivation.stages import Site
    from alembic_rollback.sql.parser import Statement
    from alembic_rollback.sql.script import Script

KINDS = ("UpdateStmt", "DeleteStmt", "TruncateStmt")


@dataclass(frozen=True)
class Keeping:
    """What became of the statements of an up that change rows."""

    rewritten: Mapping[Statement, str]
    """By statement, what to write in its place, without the last `;`."""
    refused: Mapping[Statement, str]
    """Why it stays as it is."""


class _Refused(Exception):
    """The rows cannot be kept; the reason."""


def keep_rows(site: Site, up: Script, *, schema: str, version: str) -> Keeping:
    """Rewrite the UPDATE, DELETE and TRUNCATE statements of which rows would be lost.

    schema: where the rows are kept; the first statement that is rewritten makes it. Raises
    StatementError where the up itself fails.
    """
    wanted = {one for one, facts in lost_rows(up).items() if facts and one.kind in KINDS}
    rewritten: dict[Statement, str] = {}
    refused: dict[Statement, str] = {}
    names = _Names(schema, version, sum(map(len, kept_by(up).values())))
    with site() as stage:
        for number, statement in enumerate(up.statements, 1):
            if statement in wanted:
                try:
                    with stage.look() as connection:
                        rewritten[statement] = _Writer(connection, names).rewrite(statement)
                except _Refused as reason:
                    refused[statement] = str(reason)
            stage.step(statement, number, len(up.statements))
    if rewritten:
        first = next(iter(rewritten))
        make = f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(schema)}"
        rewritten[first] = f"{make};\n{rewritten[first]}"
    return Keeping(rewritten, refused)


@dataclass
class _Names:
    """Names of tables that hold kept rows."""

    schema: str
    version: str
    last: int

    def next(self, table: str) -> str:
        """A new one, quoted and with its schema."""
        self.last += 1
        return quote_name((self.schema, fitting(f"{TABLES}{self.version}_{self.last}_{table}")))


@dataclass(frozen=True)
class _Target:
    """A table whose rows are kept."""

    table: Table
    text: str
    """As it stands in the statement."""
    columns: Sequence[KeptColumn]
    """Those that hold something themselves."""
    key: Sequence[str]

    def only(self, names: Sequence[str]) -> list[KeptColumn]:
        """Some of the columns, in the table's order."""
        return [one for one in self.columns if one.name in names]


@dataclass
class _Writer:
    connection: Connection
    names: _Names
    made: list[str] = field(default_factory=list)
    """Statements that make the tables for the rows."""

    def rewrite(self, statement: Statement) -> str:
        """What to write instead of the statement."""
        node = statement.node
        if statement.kind == "TruncateStmt":
            return self._before_truncate(statement)
        if node.HasField("returning_clause"):
            raise _Refused("it has a RETURNING of its own")
        if any(kind_of(inner(query)) != "SelectStmt" for query in _queries(node)):
            raise _Refused("its WITH changes rows, too")
        target = self._target(node.relation)
        alias = quote_identifier(node.relation.alias.aliasname or node.relation.relname)
        if statement.kind == "UpdateStmt":
            return self._around_update(statement, target, alias)
        return self._around_delete(statement, target, alias)

    # --- one kind each ----------------------------------------------------------------------

    def _around_update(self, statement: Statement, target: _Target, alias: str) -> str:
        set_ = [item.res_target.name for item in statement.node.target_list]
        if firing_triggers(self.connection, target.table.oid, "UPDATE"):
            set_ = [one.name for one in target.columns if one.name not in target.key]
        changed, key = target.only(set_), target.only(target.key)
        self._require_key(target, set_)
        named = ", ".join(set_by_update(self.connection, target.table.oid, set_))
        if named:
            raise _Refused(f"foreign key {named} sets other rows to NULL or their default")
        into = self._make(target, [*key, *changed], changed)
        values = [*_values(key, WAS), *_values(changed, WAS), *_values(changed, KEPT)]
        names = [*_quoted(key), *_quoted(changed), *_quoted(changed, AFTER)]
        source = _only(statement.node.relation, target.text)
        using = ", ".join(_quoted(key))
        return self._written(
            target,
            "UPDATE changes",
            (),
            f"WITH {KEPT} AS (\n{statement.text}\n"
            f"RETURNING {listed(f'{alias}.{n}' for n in _quoted([*key, *changed]))}\n)\n"
            f"INSERT INTO {into} ({listed(names)})\nSELECT {listed(values)}\n"
            f"FROM {source} AS {WAS} JOIN {KEPT} USING ({using})",
        )

    def _around_delete(self, statement: Statement, target: _Target, alias: str) -> str:
        found = cascades(self.connection, target.table)
        if found.problem:
            raise _Refused(found.problem)
        into = self._make(target, target.columns)
        others, locked = [], []
        queries = {target.table.oid: KEPT}
        for number, cascade in enumerate(found.reached, 2):
            queries[cascade.table.oid] = f"{KEPT}_{number}"
            others.append(self._also(cascade, queries))
            locked.append(cascade.table.shown)
        names = _quoted(target.columns)
        returned = listed(f"{alias}.{name}" for name in names)
        return self._written(
            target,
            "DELETE takes",
            locked,
            f"WITH {KEPT} AS (\n{statement.text}\nRETURNING {returned}\n)"
            + "".join(f",\n{one}" for one in others)
            + f"\nINSERT INTO {into} ({listed(names)})\n"
            f"SELECT {listed(_values(target.columns))} FROM {KEPT}",
        )

    def _before_truncate(self, statement: Statement) -> str:
        node = statement.node
        if node.restart_seqs:
            raise _Refused("RESTART IDENTITY: the positions of the sequences are not rows")
        targets = {}
        for item in node.relations:
            one = self._target(item.range_var)
            targets[one.table.oid] = one
        if enum_name(node, "behavior") == "DROP_CASCADE":
            for oid in list(targets):
                for table in reached_by_foreign_keys(self.connection, oid, deleting=False):
                    targets.setdefault(table.oid, self._described(table, table.shown))
        order = parents_first(self.connection, targets)
        if order is None:
            raise _Refused("the foreign keys among its tables go round in a circle")
        tables = [targets[oid] for oid in order]
        copies = [self._copied(one) for one in tables]
        locked = ", ".join(one.text for one in tables)
        return "\n".join(
            [
                "-- Kept for the down: the rows that the TRUNCATE takes.",
                f"LOCK TABLE {locked} IN ACCESS EXCLUSIVE MODE;",
                *copies,
                statement.text,
            ]
        )

    # --- pieces -----------------------------------------------------------------------------

    def _also(self, cascade: Cascade, queries: Mapping[int, str]) -> str:
        """The rows of another table that foreign keys delete or change, as a part of the WITH."""
        target = self._described(cascade.table, cascade.table.shown)
        columns: Sequence[KeptColumn] = target.columns
        changed: list[KeptColumn] = []
        if cascade.sets:
            self._require_key(target, cascade.sets)
            changed = target.only(cascade.sets)
            columns = [*target.only(target.key), *changed]
        into = self._make(target, columns, changed)
        names = [*_quoted(columns), *_quoted(changed, AFTER)]
        values = [*_values(columns, WAS), *("NULL" for _ in changed)]
        reached = "\n    OR ".join(
            _reached(queries[one.referenced], one.keys, one.columns) for one in cascade.references
        )
        return (
            f"{queries[cascade.table.oid]} AS (\n"
            f"INSERT INTO {into} ({listed(names)})\nSELECT {listed(values)}\n"
            f"FROM {target.text} AS {WAS}\nWHERE {reached}\nRETURNING *\n)"
        )

    def _make(
        self,
        target: _Target,
        columns: Sequence[KeptColumn],
        changed: Sequence[KeptColumn] = (),
    ) -> str:
        into = self.names.next(target.table.name)
        shown = [*_shown(columns), *(f"{v} AS {n}" for v, n in _pairs(changed, AFTER))]
        self.made.append(
            f"CREATE TABLE {into} AS\nSELECT {listed(shown)}\nFROM {target.text} WITH NO DATA;"
        )
        return into

    def _copied(self, target: _Target) -> str:
        into, columns = self.names.next(target.table.name), listed(_shown(target.columns))
        return f"CREATE TABLE {into} AS\nSELECT {columns}\nFROM {target.text};"

    def _written(self, target: _Target, what: str, others: Sequence[str], statement: str) -> str:
        locked = ", ".join((target.text, *others))
        return "\n".join(
            [
                f"-- Kept for the down: the rows that the {what}.",
                *self.made,
                f"LOCK TABLE {locked} IN SHARE ROW EXCLUSIVE MODE;",
                statement,
            ]
        )

    def _target(self, relation: Any) -> _Target:
        text, table = relation_text(relation), table_named(self.connection, relation_name(relation))
        if table is None or table.kind not in ("r", "p"):
            raise _Refused(f"{text} is not a table")
        if relation.inh and has_heirs(self.connection, table.oid):
            raise _Refused(f"other tables inherit from {text}: which one a row was in is not kept")
        return self._described(table, text)

    def _described(self, table: Table, text: str) -> _Target:
        columns = [one for one in columns_of(self.connection, table.oid) if not one.generated]
        return _Target(table, text, columns, key_of(self.connection, table.oid))

    def _require_key(self, target: _Target, changed: Sequence[str]) -> None:
        if not target.key:
            raise _Refused(f"{target.text} has no key by which to find the rows again")
        if set(target.key) & set(changed):
            raise _Refused(f"the key of {target.text} changes: the rows could not be found again")


def _queries(node: Any) -> Iterator[Any]:
    return (item.common_table_expr.ctequery for item in node.with_clause.ctes)


def _only(relation: Any, text: str) -> str:
    return text if relation.inh else f"ONLY {text}"


def _quoted(columns: Sequence[KeptColumn], behind: str = "") -> list[str]:
    return [quote_identifier(one.name + behind) for one in columns]


def _values(columns: Sequence[KeptColumn], of: str = "") -> list[str]:
    """The columns as they are kept. of: the name under which the statement knows their table."""
    before = f"{of}." if of else ""
    return [one.value(before + quote_identifier(one.name)) for one in columns]


def _pairs(columns: Sequence[KeptColumn], behind: str = "") -> Iterator[tuple[str, str]]:
    return zip(_values(columns), _quoted(columns, behind), strict=True)


def _shown(columns: Sequence[KeptColumn]) -> list[str]:
    """Select items, with a name where the value isn't the column itself."""
    return [value if value == name else f"{value} AS {name}" for value, name in _pairs(columns)]


def _reached(query: str, keys: Sequence[str], columns: Sequence[str]) -> str:
    same = " AND ".join(
        f"{query}.{quote_identifier(key)} = {WAS}.{quote_identifier(column)}"
        for key, column in zip(keys, columns, strict=True)
    )
    return f"EXISTS (SELECT FROM {query} WHERE {same})"
