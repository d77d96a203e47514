"""Copies of what a statement takes from tables that stay: rows, and values of columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from alembic_rollback.archive.moving import Kept, columns_of, root_of, sequences_of
from alembic_rollback.archive.store import ROWS, VALUES, Archive, Column, Contents
from alembic_rollback.sql.names import quote_always, quote_name

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.ledger import Run

# The primary key, else the unique index with the fewest columns, none of which may be null.
_KEY = """
SELECT ARRAY(SELECT attname FROM unnest(CAST(i.indkey AS smallint[])) WITH ORDINALITY k (n, at)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n
WHERE at <= i.indnkeyatts ORDER BY at) FROM pg_index i WHERE i.indrelid = CAST(:oid AS oid)
AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = i.indrelid
AND a.attnum = ANY(i.indkey[0:i.indnkeyatts - 1]) AND NOT a.attnotnull)
ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1"""


Finish: TypeAlias = Callable[[], "tuple[int, int] | None"]
"""Ends the watching of a table; returns the item and how many rows it has, if there are any."""


@dataclass(frozen=True)
class Source:
    """A table that stays."""

    oid: int
    schema: str
    name: str
    kind: str = "r"
    """pg_class.relkind."""

    @property
    def rows(self) -> str:
        """What to select from: not the rows of tables that inherit from it, but for partitions."""
        return self.named if self.kind == "p" else f"ONLY {self.named}"

    @property
    def named(self) -> str:
        """Quoted, with its schema."""
        return f"{quote_always(self.schema)}.{quote_always(self.name)}"


@dataclass(frozen=True)
class Copier:
    """Makes tables of the archive for one step of a rollback."""

    connection: Connection
    archive: Archive
    run: Run
    version: str

    def keep_values(self, source: Source, columns: Sequence[str]) -> tuple[int, int]:
        """Copy the values of some columns, with the key of each row; return item and rows."""
        number, name, contents = self._copy_values(source, columns)
        return number, self._fill(number, name, contents)

    def watch_conversion(self, source: Source, column: str) -> Finish:
        """Copy the values of a column that gets another type; only those stay that change."""
        number, name, contents = self._copy_values(source, [column])
        if not contents.keyed:
            return lambda: (number, self._fill(number, name, contents))
        after = _after(column, [one.name for one in contents.columns])
        columns = tuple(replace(one, after="" if one.key else after) for one in contents.columns)

        def finish() -> tuple[int, int] | None:
            table, new = self.archive.named(name), quote_always(after)
            keys = [quote_always(one.name) for one in columns if one.key]
            # As text, which is what some are kept as.
            same = " AND ".join(f"CAST(t.{k} AS text) = CAST(k.{k} AS text)" for k in keys)
            value = quote_always(column)
            self._execute(f"ALTER TABLE {table} ADD {new} text")
            self._execute(
                f"UPDATE {table} k SET {new} = CAST(t.{value} AS text) "
                f"FROM {source.rows} t WHERE {same}"
            )
            self._execute(
                f"DELETE FROM {table} WHERE CAST({value} AS text) IS NOT DISTINCT FROM {new}"
            )
            return self._settled(number, name, Contents(columns, {}))

        return finish

    def _copy_values(self, source: Source, columns: Sequence[str]) -> tuple[int, str, Contents]:
        every = {one.name: one for one in columns_of(self.connection, source.oid)}
        found = key_of(self.connection, source.oid)
        key = found or [name for name in every if name not in columns]
        kept = [every[name] for name in (*key, *(c for c in columns if c not in key))]
        number, name = self._reserve(VALUES, source)
        self._execute(
            f"CREATE TABLE {self.archive.named(name)} AS SELECT {_listed(kept)} FROM {source.rows}"
        )
        held = tuple(Column(one.name, one.type, one.name in key) for one in kept)
        return number, name, Contents(held, {}, keyed=bool(found))

    def keep_rows(self, source: Source) -> tuple[int, int]:
        """Copy every row; return item and rows."""
        kept = [one for one in columns_of(self.connection, source.oid) if not one.generated]
        number, name = self._reserve(ROWS, source)
        self._execute(
            f"CREATE TABLE {self.archive.named(name)} AS SELECT {_listed(kept)} FROM {source.rows}"
        )
        return number, self._fill(number, name, self._contents(source, kept))

    def watch_deletes(self, source: Source) -> Finish:
        """Copy the rows that are deleted from now on, however that comes about.

        A trigger for each statement with the rows as a table sees those that foreign keys delete,
        too (CREATE TRIGGER, "REFERENCING").
        """
        kept = [one for one in columns_of(self.connection, source.oid) if not one.generated]
        number, name = self._reserve(ROWS, source)
        rows = f"SELECT {_listed(kept)} FROM gone"
        self._execute(
            f"CREATE TABLE {self.archive.named(name)} AS SELECT {_listed(kept)} "
            f"FROM {source.named} LIMIT 0"
        )
        self._watch(source, name, "DELETE", "OLD TABLE AS gone", rows)
        contents = self._contents(source, kept)
        return lambda: self._finish(number, name, contents)

    def watch_updates(self, source: Source, columns: Sequence[str]) -> Finish:
        """Copy the values of columns that are updated from now on, and what they become."""
        every = columns_of(self.connection, source.oid)
        changed = [one for one in every if one.name in columns and not one.generated]
        if not changed:
            return lambda: None
        number, name = self._reserve(VALUES, source)
        contents = self._watch_updates(source, name, every, changed)
        return lambda: self._finish(number, name, contents)

    def _finish(self, number: int, name: str, contents: Contents) -> tuple[int, int] | None:
        """End the watching; return item and rows, or None where nothing came."""
        self._execute(f"DROP FUNCTION {self.archive.named(name)}() CASCADE")
        return self._settled(number, name, contents)

    def _settled(self, number: int, name: str, contents: Contents) -> tuple[int, int] | None:
        rows = self._fill(number, name, contents)
        if rows:
            return number, rows
        self._execute(f"DROP TABLE {self.archive.named(name)}")
        self.archive.forget(self.connection, number)
        return None

    def _watch_updates(
        self, source: Source, name: str, every: Sequence[Kept], changed: Sequence[Kept]
    ) -> Contents:
        names = key_of(self.connection, source.oid)
        key = [one for one in every if one.name in names]
        if not key or any(one in changed for one in key):
            return self._watch_unknown(source, name, every)
        after: dict[str, str] = {}
        for one in changed:
            taken = [*(column.name for column in every), *after.values()]
            after[one.name] = _after(one.name, taken)
        listed = ", ".join(
            [f"{_of('was', one)} AS {quote_always(one.name)}" for one in (*key, *changed)]
            + [f"{_of('now', one)} AS {quote_always(after[one.name])}" for one in changed]
        )
        same = " AND ".join(f"now.{quote_always(k)} = was.{quote_always(k)}" for k in names)
        table = self.archive.named(name)
        self._execute(
            f"CREATE TABLE {table} AS SELECT {listed} FROM {source.named} was "
            f"JOIN {source.named} now ON {same} LIMIT 0"
        )
        rows = f"SELECT {listed} FROM was JOIN now ON {same}"
        self._watch(source, name, "UPDATE", "OLD TABLE AS was NEW TABLE AS now", rows)
        return Contents(
            tuple(
                Column(one.name, one.type, one in key, after.get(one.name, ""))
                for one in (*key, *changed)
            ),
            {},
        )

    def _watch_unknown(self, source: Source, name: str, every: Sequence[Kept]) -> Contents:
        """Without a key, or with one that changes, nobody can tell which row was which."""
        kept = [one for one in every if not one.generated]
        rows = f"SELECT {_listed(kept)} FROM"
        self._execute(f"CREATE TABLE {self.archive.named(name)} AS {rows} {source.named} LIMIT 0")
        self._watch(source, name, "UPDATE", "OLD TABLE AS was", f"{rows} was")
        columns = tuple(Column(one.name, one.type, key=True) for one in kept)
        return Contents(columns, {}, keyed=False)

    def _watch(self, source: Source, name: str, event: str, tables: str, rows: str) -> None:
        function, trigger = self.archive.named(name), quote_always(name)
        body = f"BEGIN INSERT INTO {self.archive.named(name)} {rows}; RETURN NULL; END"
        self._execute(
            f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $keep$ {body} $keep$"
        )
        self._execute(
            f"CREATE TRIGGER {trigger} AFTER {event} ON {source.named} REFERENCING {tables} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )

    def _contents(self, source: Source, kept: Sequence[Kept]) -> Contents:
        columns = tuple(Column(one.name, one.type) for one in kept)
        sequences = sequences_of(self.connection, source.oid)
        return Contents(columns, sequences, into=root_of(self.connection, source.oid))

    def _reserve(self, kind: str, source: Source) -> tuple[int, str]:
        place = source.schema, source.name
        return self.archive.reserve(self.connection, self.run, self.version, kind, place)

    def _fill(self, number: int, name: str, contents: Contents) -> int:
        rows = int(self._execute(f"SELECT count(*) FROM {self.archive.named(name)}").scalar_one())
        self.archive.fill(self.connection, number, name, contents, rows)
        return rows

    def _execute(self, sql: str) -> Any:
        return self.connection.exec_driver_sql(sql, execution_options={"no_parameters": True})


def _after(column: str, taken: Collection[str]) -> str:
    """A name for what becomes of a column's values."""
    stem = column.encode()[:50].decode(errors="ignore")
    found, number = f"{stem} after", 2
    while found in taken:
        found, number = f"{stem} after {number}", number + 1
    return found


def _listed(kept: Sequence[Kept]) -> str:
    return ", ".join(f"{one.expression} AS {quote_always(one.name)}" for one in kept)


def _of(table: str, one: Kept) -> str:
    return one.value(f"{table}.{quote_always(one.name)}")


def key_of(connection: Connection, oid: int) -> list[str]:
    """The columns that tell a table's row from all others; none where there is no such key."""
    row = _query(connection, _KEY, oid=oid).first()
    return list(row[0]) if row else []


def shown(source: Source) -> str:
    """As a person would write it."""
    return quote_name((source.schema, source.name))


def _query(connection: Connection, sql: str, **values: Any) -> Any:
    from sqlalchemy import text

    return connection.execute(text(sql), values)
