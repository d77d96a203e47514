"""What the archive holds, put back: every row or none, and nothing that is there overwritten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alembic_rollback.archive.store import VALUES, Archive, Column, Item, KeptByUp
from alembic_rollback.catalog.tables import tables_by_oid
from alembic_rollback.errors import Blocked
from alembic_rollback.sql.names import quote_always, quote_literal, quote_name

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod), attgenerated <> '', attidentity <> '',
  attnotnull AND NOT atthasdef AND attidentity = '',
  CASE WHEN attgenerated = '' THEN pg_get_expr(adbin, adrelid) END,
  (CAST(CAST(attmissingval AS text) AS text[]))[1]
FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attrelid = CAST(:oid AS oid) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""

_TREE = (
    "WITH RECURSIVE tree (oid) AS (SELECT unnest(CAST(:oids AS oid[])) UNION "
    "SELECT inhrelid FROM pg_inherits JOIN tree ON inhparent = tree.oid) "
)
_PAUSES = (
    # What pauses it, and what lets it go on.
    _TREE + "SELECT format('ALTER TABLE %1$s DISABLE TRIGGER %2$I', r, tgname), "
    "format('ALTER TABLE %1$s %3$s TRIGGER %2$I', r, tgname, CASE tgenabled WHEN 'A' "
    "THEN 'ENABLE ALWAYS' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE' END) "
    "FROM pg_trigger JOIN tree ON tgrelid = tree.oid, CAST(tgrelid AS regclass) r "
    "WHERE NOT tgisinternal AND tgenabled <> 'D' AND tgparentid = 0",
    _TREE + "SELECT format('ALTER TABLE %1$s DISABLE RULE %2$I', r, rulename), "
    "format('ALTER TABLE %1$s %3$s RULE %2$I', r, rulename, CASE ev_enabled WHEN 'A' "
    "THEN 'ENABLE ALWAYS' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE' END) "
    "FROM pg_rewrite JOIN tree ON ev_class = tree.oid, CAST(ev_class AS regclass) r "
    "WHERE ev_enabled <> 'D'",
    _TREE + "SELECT format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', r), "
    "format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', r) "
    "FROM pg_class JOIN tree USING (oid), CAST(pg_class.oid AS regclass) r "
    "WHERE relforcerowsecurity AND pg_has_role(relowner, 'USAGE')",
)

_FOREIGN_KEYS = (
    _TREE + "SELECT format('ALTER TABLE %s ALTER CONSTRAINT %I', CAST(conrelid AS regclass), "
    "conname) FROM pg_constraint JOIN tree ON conrelid = tree.oid "
    "WHERE contype = 'f' AND NOT condeferrable AND conparentid = 0"
)


@dataclass(frozen=True)
class Target:
    """Where an item goes."""

    oid: int
    name: tuple[str, ...]
    columns: dict[str, Place]
    kind: str
    """pg_class.relkind."""

    @property
    def rows(self) -> str:
        """What to update: its own rows, or those of its partitions."""
        return self.named if self.kind == "p" else f"ONLY {self.named}"

    @property
    def named(self) -> str:
        """Quoted, with its schema."""
        return ".".join(map(quote_always, self.name))

    @property
    def shown(self) -> str:
        """As a person would write it."""
        return quote_name(self.name)


@dataclass(frozen=True)
class Place:
    """A column as it is now."""

    type: str
    generated: bool
    identity: bool
    required: bool
    """It must be given: not null, without a default."""
    default: str | None
    missing: str | None
    """What rows have that were there when the column was added (pg_attribute.attmissingval)."""


@dataclass(frozen=True)
class Restored:
    """What came of one item."""

    item: Item
    table: str
    """Where it was put back, as a person would write it."""
    rows: int
    """How many rows or values were put back."""
    kept: int = 0
    """How many were left out, because there is something in their place."""


@dataclass(frozen=True)
class Restoration:
    """What the archive of one database holds, and what came of putting it back or dropping it."""

    database: str
    archive: Archive
    items: tuple[Item, ...]
    kept_by_ups: tuple[KeptByUp, ...] = ()
    restored: tuple[Restored, ...] = ()
    executed: bool = False


@dataclass(frozen=True)
class Restorer:
    """Puts items of an archive back, in the caller's transaction."""

    connection: Connection
    archive: Archive
    keep: bool = False
    """What is there already stays, and is no reason to refuse."""

    def targets(self, items: Sequence[Item], into: str = "") -> list[Target]:
        """Where each item goes. into: another table, as one would write it in SQL.

        Raises Blocked with every reason against.
        """
        found, problems = [], []
        for item in items:
            own = quote_name(item.contents.into or (item.schema, item.table))
            target = self._target(into or own)
            if isinstance(target, str):
                problems.append(target)
            else:
                found.append(target)
                problems += self._problems(item, target)
        if problems:
            raise Blocked(
                "It cannot be put back: " + "; ".join(problems) + ".",
                state="Nothing was changed.",
                next_step="Run `alembic upgrade` first if the tables are not there yet; or put it "
                "into another table with --into.",
            )
        return found

    def restore(self, items: Sequence[Item], targets: Sequence[Target]) -> list[Restored]:
        """Put the items back, checked by every constraint.

        Raises Blocked for what is there already, DBAPIError for what a constraint refuses.
        """
        oids = sorted({target.oid for target in targets})
        with self._quiet(oids), self._deferred(oids):
            found = [
                self._put_values(item, target) if item.kind == VALUES else self._put(item, target)
                for item, target in zip(items, targets, strict=True)
            ]
        self.archive.mark_restored(self.connection, [item.id for item in items])
        return found

    # --- rows -------------------------------------------------------------------------------

    def _put(self, item: Item, target: Target) -> Restored:
        columns = self._common(item, target)
        names = ", ".join(quote_always(column.name) for column in columns)
        values = ", ".join(_cast(column, target) for column in columns)
        every = self._count(item)
        conflict = " ON CONFLICT DO NOTHING" if self.keep else ""
        result = self._execute(
            f"INSERT INTO {target.named} ({names}) OVERRIDING SYSTEM VALUE "
            f"SELECT {values} FROM {self._kept(item)}{conflict}"
        )
        self._advance(item, target)
        return Restored(item, target.shown, result.rowcount, every - result.rowcount)

    def _advance(self, item: Item, target: Target) -> None:
        """Sequences go on behind the highest value that they ever gave out."""
        for column, last in item.contents.sequences.items():
            if column not in target.columns:
                continue
            sql = "SELECT pg_get_serial_sequence(:table, :column)"
            sequence = self._query(sql, table=target.named, column=column).scalar()
            if sequence:
                self._execute(
                    f"SELECT setval({quote_literal(sequence)}, greatest({last}, "
                    f"(SELECT last_value FROM {sequence})))"
                )

    # --- values -----------------------------------------------------------------------------

    def _put_values(self, item: Item, target: Target) -> Restored:
        """Into rows that are there still, where nobody has written a value of his own since."""
        keys = [column for column in item.contents.columns if column.key]
        values = [column for column in item.contents.columns if not column.key]
        same = " AND ".join(f"t.{quote_always(c.name)} = {_cast(c, target, 'a')}" for c in keys)
        free = " AND ".join(f"({_is_free(c, target)})" for c in values)
        source = f"{self._kept(item)} a"
        taken = self._number(
            f"SELECT count(*) FROM {target.rows} t JOIN {source} ON {same} WHERE NOT ({free})"
        )
        if taken and not self.keep:
            raise _in_the_way(f"{taken} of the values in {target.shown}")
        new = ", ".join(f"{quote_always(c.name)} = {_cast(c, target, 'a')}" for c in values)
        result = self._execute(
            f"UPDATE {target.rows} t SET {new} FROM {source} WHERE {same} AND {free}"
        )
        every = self._count(item)
        return Restored(item, target.shown, result.rowcount, every - result.rowcount)

    # --- where ------------------------------------------------------------------------------

    def _target(self, name: str) -> Target | str:
        oid = self._oid(name)
        tables = tables_by_oid(self.connection, [oid]) if oid else {}
        if oid not in tables or tables[oid].kind not in ("r", "p"):
            return f"there is no table {name}"
        found = self._query(_COLUMNS, oid=oid)
        full = (tables[oid].schema, tables[oid].name)
        columns = {row[0]: Place(*row[1:]) for row in found}
        return Target(oid, full, columns, tables[oid].kind)

    def _oid(self, name: str) -> int | None:
        """None also for what is no name at all."""
        from sqlalchemy.exc import DBAPIError

        savepoint = self.connection.begin_nested()
        try:
            found = self._query("SELECT CAST(to_regclass(:name) AS oid)", name=name).scalar()
        except DBAPIError:
            savepoint.rollback()
            return None
        savepoint.commit()
        return found  # type: ignore[no-any-return]

    def _problems(self, item: Item, target: Target) -> Iterator[str]:
        held = {column.name for column in item.contents.columns}
        for column in item.contents.columns:
            if column.name not in target.columns and self._has_values(item, column):
                yield f"{target.shown} has no column {column.name}"
        if item.kind != VALUES:
            for name, place in target.columns.items():
                if place.required and name not in held:
                    yield f"{target.shown}.{name} must not be null, and there are no values for it"
        elif not item.contents.keyed:
            yield (
                f"{target.shown} had no key, so nobody can tell which rows the values in "
                f"{quote_name((self.archive.schema, item.kept_in))} belong to (--on-conflict keep "
                "leaves them there)"
            )

    def _has_values(self, item: Item, column: Column) -> bool:
        sql = (
            f"SELECT EXISTS (SELECT FROM {self._kept(item)} "
            f"WHERE {quote_always(column.name)} IS NOT NULL)"
        )
        return bool(self._execute(sql).scalar_one())

    def _common(self, item: Item, target: Target) -> list[Column]:
        return [
            column
            for column in item.contents.columns
            if column.name in target.columns and not target.columns[column.name].generated
        ]

    # --- around it --------------------------------------------------------------------------

    @contextmanager
    def _quiet(self, oids: Sequence[int]) -> Iterator[None]:
        """Without the users' triggers, rules and row-level security: rows come as they were."""
        found = pauses(self.connection, oids)
        for pause, _ in found:
            self._execute(pause)
        yield
        for _, resume in found:
            self._execute(resume)

    @contextmanager
    def _deferred(self, oids: Sequence[int]) -> Iterator[None]:
        """Foreign keys are checked at the end, so that the order of the tables doesn't matter."""
        found = [row[0] for row in self._query(_FOREIGN_KEYS, oids=oids)]
        for alter in found:
            self._execute(f"{alter} DEFERRABLE INITIALLY DEFERRED")
        self._execute("SET CONSTRAINTS ALL DEFERRED")
        yield
        self._execute("SET CONSTRAINTS ALL IMMEDIATE")
        for alter in found:
            self._execute(f"{alter} NOT DEFERRABLE")

    def _kept(self, item: Item) -> str:
        return self.archive.named(item.kept_in)

    def _count(self, item: Item) -> int:
        return self._number(f"SELECT count(*) FROM {self._kept(item)}")

    def _number(self, sql: str) -> int:
        return int(self._execute(sql).scalar_one())

    def _query(self, sql: str, **values: Any) -> Any:
        from sqlalchemy import text

        return self.connection.execute(text(sql), values)

    def _execute(self, sql: str) -> Any:
        return self.connection.exec_driver_sql(sql, execution_options={"no_parameters": True})


def pauses(connection: Connection, oids: Sequence[int]) -> list[tuple[str, str]]:
    """Pairs of statements that pause the users' triggers, rules and forced row-level security of
    tables and their partitions, and let them go on.
    """
    from sqlalchemy import text

    found = (connection.execute(text(sql), {"oids": list(oids)}) for sql in _PAUSES)
    return [(pause, resume) for rows in found for pause, resume in rows.all()]


def latest(items: Iterable[Item], version: str) -> list[Item]:
    """What the last rollback of a revision has taken that was not put back yet."""
    open_ = [item for item in items if item.version == version and item.restored_at is None]
    return [item for item in open_ if item.run_id == open_[-1].run_id]


def _cast(column: Column, target: Target, alias: str = "") -> str:
    name = (f"{alias}." if alias else "") + quote_always(column.name)
    return f"CAST({name} AS {target.columns[column.name].type})"


def _is_free(column: Column, target: Target) -> str:
    """Whether the value may be replaced: nobody's, the default, or what the rollback had left."""
    now, place = f"t.{quote_always(column.name)}", target.columns[column.name]
    others = [_cast(column, target, "a")]
    if place.default is not None:
        others.append(place.default)
    if place.missing is not None:
        others.append(f"CAST({quote_literal(place.missing)} AS {place.type})")
    if column.after:
        others.append(f"CAST(a.{quote_always(column.after)} AS {place.type})")
    # As text: not every type can be compared.
    same = (f"CAST({now} AS text) IS NOT DISTINCT FROM CAST({other} AS text)" for other in others)
    return " OR ".join((f"{now} IS NULL", *same))


def _in_the_way(what: str) -> Blocked:
    return Blocked(
        f"{what} have been written anew since.",
        state="Nothing was changed.",
        next_step="With --on-conflict keep, what is there stays and the rest is put back.",
    )
