"""The archive: a schema of its own, with a list of what is in it. Every query of the list."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from alembic_rollback.sql.names import quote_always, quote_name

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.ledger import Run

LIST = "archived"
"""The list's name, in the archive schema."""
TABLE, ROWS, VALUES = "table", "rows", "values"
"""All rows of a dropped table; rows of one that stays; values of rows that stay."""

_DDL = """CREATE TABLE IF NOT EXISTS {list} (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ledger TEXT NOT NULL,
    run_id VARCHAR(36) NOT NULL,
    version VARCHAR(50) NOT NULL,
    kind VARCHAR(10) NOT NULL,
    schema_name TEXT NOT NULL,
    table_name TEXT NOT NULL,
    kept_in TEXT NOT NULL,
    contents TEXT NOT NULL,
    row_count BIGINT,
    archived_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    restored_at TIMESTAMPTZ
)"""


@dataclass(frozen=True)
class Column:
    """A column as it was, and as it is kept."""

    name: str
    type: str
    """As format_type writes it."""
    key: bool = False
    """It says whose value it is."""
    after: str = ""
    """The archive's column with what the rollback has made of the value."""


@dataclass(frozen=True)
class Contents:
    """What one table of the archive holds."""

    columns: tuple[Column, ...]
    sequences: Mapping[str, int]
    """The last value of the sequence of a column (identity, serial), by the column's name."""
    keyed: bool = True
    """Of values: the key columns are a key; without one they are all that the row had."""
    into: tuple[str, ...] = ()
    """Schema and name of the partitioned table through which the rows are put back."""


@dataclass(frozen=True)
class Item:
    """One table of the archive."""

    id: int
    run_id: str
    version: str
    """The revision whose rollback took it."""
    kind: str
    """`table`, `rows` or `values`."""
    schema: str
    table: str
    """Where it was."""
    kept_in: str
    """Its table's name in the archive schema."""
    contents: Contents
    rows: int | None
    """None where nobody has counted: a table that was moved."""
    archived_at: datetime
    restored_at: datetime | None
    bytes: int | None = None
    """Its size on disk, indexes and TOAST included; None once it is gone."""

    @property
    def shown(self) -> str:
        """`table public.orders`, `values of public.users (email)`."""
        name = quote_name((self.schema, self.table))
        if self.kind == TABLE:
            return f"table {name}"
        if self.kind == ROWS:
            return f"rows of {name}"
        columns = [column.name for column in self.contents.columns if not column.key]
        return f"values of {name} ({', '.join(columns)})"


@dataclass(frozen=True)
class KeptByUp:
    """A table in which an up keeps rows for its down (`generate-down --keep-data`)."""

    version: str
    kept_in: str
    """Its name in the archive schema."""
    since: datetime
    """When the revision was applied."""
    bytes: int


@dataclass(frozen=True)
class Archive:
    """The archive of one ledger in one database."""

    schema: str
    owner: tuple[str, str]
    """The ledger's schema and name: several may share the archive."""

    @property
    def ledger(self) -> str:
        """The ledger as the list names it."""
        return quote_name(self.owner)

    @property
    def list(self) -> str:
        """The list, quoted and with its schema."""
        return f"{quote_always(self.schema)}.{quote_always(LIST)}"

    def named(self, table: str) -> str:
        """A table of the archive, quoted and with its schema."""
        return f"{quote_always(self.schema)}.{quote_always(table)}"

    def exists(self, connection: Connection) -> bool:
        """Whether anything was ever archived."""
        sql = "SELECT to_regclass(:name) IS NOT NULL"
        return bool(_run(connection, sql, name=self.list).scalar_one())

    def who_may_not(self, connection: Connection) -> tuple[str, str] | None:
        """Role and database, where the role may not make what is missing of the archive."""
        sql = (
            "SELECT current_user, current_database() WHERE CASE "
            "WHEN to_regclass(:list) IS NOT NULL THEN NOT has_table_privilege(:list, 'INSERT') "
            "WHEN to_regnamespace(:schema) IS NOT NULL "
            "THEN NOT has_schema_privilege(to_regnamespace(:schema), 'CREATE') "
            "ELSE NOT has_database_privilege(current_database(), 'CREATE') END"
        )
        schema = quote_always(self.schema)
        row = _run(connection, sql, list=self.list, schema=schema).first()
        return (row[0], row[1]) if row else None

    def create(self, connection: Connection) -> None:
        """Create schema and list where they are missing."""
        if self.exists(connection):
            return
        _run(connection, _colons(f"CREATE SCHEMA IF NOT EXISTS {quote_always(self.schema)}"))
        _run(connection, _colons(_DDL.format(list=self.list)))

    def reserve(
        self,
        connection: Connection,
        run: Run,
        version: str,
        kind: str,
        source: tuple[str, str],
    ) -> tuple[int, str]:
        """Enter an item; return its id and the name of the table that will hold it."""
        sql = (
            f"INSERT INTO {_colons(self.list)} (ledger, run_id, version, kind, schema_name, "
            "table_name, kept_in, contents) VALUES (:ledger, :run_id, :version, :kind, :schema, "
            "CAST(:table AS text), '', '') RETURNING id"
        )
        values = {
            "ledger": self.ledger,
            "run_id": run.run_id,
            "version": version,
            "kind": kind,
            "schema": source[0],
            "table": source[1],
        }
        number = int(_run(connection, sql, **values).scalar_one())
        return number, fitting(f"{number}_{source[1]}")

    def fill(
        self,
        connection: Connection,
        number: int,
        kept_in: str,
        contents: Contents,
        rows: int | None,
    ) -> None:
        """Say what an item holds, once it is known."""
        sql = (
            f"UPDATE {_colons(self.list)} SET kept_in = :kept_in, contents = :contents, "
            "row_count = :rows WHERE id = :id"
        )
        values = {"id": number, "kept_in": kept_in, "rows": rows}
        _run(connection, sql, contents=json.dumps(asdict(contents)), **values)

    def forget(self, connection: Connection, number: int) -> None:
        """Take an item out of the list."""
        _run(connection, f"DELETE FROM {_colons(self.list)} WHERE id = :id", id=number)

    def drop(self, connection: Connection, item: Item) -> None:
        """Drop what an item holds, for good."""
        _run(connection, _colons(f"DROP TABLE IF EXISTS {self.named(item.kept_in)}"))
        self.forget(connection, item.id)

    def mark_restored(self, connection: Connection, numbers: Sequence[int]) -> None:
        """Say that items have been put back."""
        sql = (
            f"UPDATE {_colons(self.list)} SET restored_at = clock_timestamp() "
            "WHERE id = ANY(:numbers)"
        )
        _run(connection, sql, numbers=list(numbers))

    def waiting(self, connection: Connection) -> tuple[str, ...]:
        """The versions of which something was not put back yet."""
        if not self.exists(connection):
            return ()
        sql = (
            f"SELECT version FROM {_colons(self.list)} WHERE ledger = :ledger "
            "AND restored_at IS NULL GROUP BY version ORDER BY min(id)"
        )
        return tuple(row[0] for row in _run(connection, sql, ledger=self.ledger))

    def kept_by_ups(
        self, connection: Connection, applied: Mapping[str, datetime]
    ) -> tuple[KeptByUp, ...]:
        """The tables in which applied ups keep rows. applied: since when, by version."""
        from alembic_rollback.sql.kept import TABLES

        sql = (
            "SELECT relname, pg_total_relation_size(c.oid) FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' "
            "AND nspname = :schema AND starts_with(relname, :prefix) ORDER BY c.oid"
        )
        found = []
        for name, size in _run(connection, sql, schema=self.schema, prefix=TABLES):
            owners = [one for one in applied if name.startswith(f"{TABLES}{one}_")]
            if owners:
                version = max(owners, key=len)
                found.append(KeptByUp(version, name, applied[version], size))
        return tuple(found)

    def drop_kept_by_up(self, connection: Connection, one: KeptByUp) -> None:
        """Drop what an up keeps, for good: its down cannot put it back then."""
        _run(connection, _colons(f"DROP TABLE IF EXISTS {self.named(one.kept_in)}"))

    def items(self, connection: Connection) -> tuple[Item, ...]:
        """Everything in the archive that is this ledger's, in the order in which it came."""
        if not self.exists(connection):
            return ()
        sql = (
            "SELECT id, run_id, version, kind, schema_name, table_name, kept_in, contents, "
            "row_count, archived_at, restored_at, pg_total_relation_size(to_regclass("
            "format('%I.%I', CAST(:schema AS text), kept_in))) "
            f"FROM {_colons(self.list)} WHERE ledger = :ledger ORDER BY id"
        )
        found = _run(connection, sql, schema=self.schema, ledger=self.ledger)
        return tuple(_item(row) for row in found)


def _item(row: Any) -> Item:
    values = list(row)
    values[7] = _contents(values[7])
    return Item(*values)


def _contents(text: str) -> Contents:
    told: dict[str, Any] = json.loads(text)
    columns = tuple(Column(**one) for one in told["columns"])
    return Contents(columns, told["sequences"], told["keyed"], tuple(told["into"]))


def fitting(name: str) -> str:
    """Within PostgreSQL's 63 bytes."""
    return name.encode()[:63].decode(errors="ignore")


def _colons(sql: str) -> str:
    """A colon in a quoted name must not be read as a parameter."""
    return sql.replace(":", "\\:")


def _run(connection: Connection, sql: str, **values: Any) -> Any:
    from sqlalchemy import text

    return connection.execute(text(sql), values)
