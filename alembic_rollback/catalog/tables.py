"""Tables by name: which exist, what hangs on them, how many rows they hold.

Names are resolved as the script's own statements would be, by search_path (to_regclass).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alembic_rollback.sql.names import quote_always, quote_name

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

COUNT_TIMEOUT = "5s"
"""How long one count may take before the estimate is shown instead."""
COUNT_LOCK_TIMEOUT = "1s"
"""How long a count waits for somebody's ACCESS EXCLUSIVE lock."""


@dataclass(frozen=True)
class Table:
    """A relation that rows can be lost from."""

    oid: int
    schema: str
    name: str
    kind: str
    """pg_class.relkind: r table, p partitioned, m materialized view, f foreign table, …"""
    estimate: int
    """pg_class.reltuples; -1 where PostgreSQL has never looked."""
    visible: bool
    indexes: int
    policies: int
    triggers: int

    @property
    def shown(self) -> str:
        """The name as a person would write it: with its schema only where search_path needs it."""
        return quote_name((self.name,) if self.visible else (self.schema, self.name))


@dataclass(frozen=True)
class RowCount:
    """A number of rows. None where it isn't known; not exact where it is an estimate."""

    rows: int | None
    exact: bool = True


_TABLE = (
    "SELECT c.oid, n.nspname, c.relname, c.relkind, CAST(c.reltuples AS bigint), "
    "pg_table_is_visible(c.oid), "
    "(SELECT count(*) FROM pg_index WHERE indrelid = c.oid), "
    "(SELECT count(*) FROM pg_policy WHERE polrelid = c.oid), "
    "(SELECT count(*) FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal) "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
)
_OIDS = "ANY (CAST(string_to_array(:oids, ',') AS oid[]))"


def find_table(connection: Connection, name: tuple[str, ...]) -> Table | None:
    """The relation of that name; None where there is none."""
    rows = _query(connection, _TABLE + "c.oid = to_regclass(:name)", name=_always(name))
    return next((_table(row) for row in rows), None)


def tables_in_schema(connection: Connection, schema: str) -> tuple[Table, ...]:
    """Every table and materialized view in a schema, partitions not counted apart."""
    condition = "n.nspname = :schema AND c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition"
    return tuple(_table(row) for row in _query(connection, _TABLE + condition, schema=schema))


def table_of_index(connection: Connection, name: tuple[str, ...]) -> int | None:
    """The oid of the table that an index belongs to."""
    sql = "SELECT indrelid FROM pg_index WHERE indexrelid = to_regclass(:name)"
    found: int | None = _query(connection, sql, name=_always(name)).scalar()
    return found


def columns_of(connection: Connection, oid: int) -> frozenset[str]:
    """A relation's columns."""
    sql = "SELECT attname FROM pg_attribute WHERE attrelid = :oid AND attnum > 0"
    return frozenset(row[0] for row in _query(connection, sql, oid=oid))


def referencing_tables(connection: Connection, oids: Iterable[int]) -> tuple[str, ...]:
    """Tables outside the given ones whose foreign keys point at them, by name."""
    sql = (
        "SELECT n.nspname, c.relname, pg_table_is_visible(c.oid) "
        "FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE k.contype = 'f' AND k.confrelid = {_OIDS} AND NOT k.conrelid = {_OIDS} "
        "GROUP BY c.oid, n.nspname, c.relname ORDER BY min(k.oid)"
    )
    rows = _query(connection, sql, oids=_joined(oids))
    return tuple(
        quote_name((name,) if visible else (schema, name)) for schema, name, visible in rows
    )


def count_rows(
    connection: Connection, table: Table, limit: int, *, column: str | None = None
) -> RowCount:
    """Count a table's rows, or a column's non-null values, exactly up to `limit`.

    Row-level security would hide rows from an owner under FORCE: it is switched off for the count,
    and where that is not allowed, or the count takes too long or waits for a lock, PostgreSQL's
    estimate is given. Never 0 for rows that could not be seen.
    """
    from sqlalchemy.exc import DBAPIError

    name = quote_name((table.schema, table.name)).replace(":", "\\:")
    test = f"WHERE {quote_always(column)} IS NOT NULL ".replace(":", "\\:") if column else ""
    sql = f"SELECT count(*) FROM (SELECT FROM {name} {test}LIMIT :many) counted"
    try:
        with _counting(connection):
            rows = int(_query(connection, sql, many=limit + 1).scalar_one())
    except DBAPIError:
        return RowCount(table.estimate if table.estimate >= 0 else None, exact=False)
    if rows > limit:
        return RowCount(max(table.estimate, rows - 1), exact=False)
    return RowCount(rows)


def count_dependants(connection: Connection, oids: Iterable[int]) -> int:
    """How many catalog objects go when the relations are dropped with CASCADE, themselves included.

    Each takes an entry in the server's lock table until the transaction ends (pg_depend;
    AcquireDeletionLock in PostgreSQL's dependency.c).
    """
    sql = (
        "WITH RECURSIVE gone (classid, objid) AS ("
        f"SELECT CAST(CAST('pg_class' AS regclass) AS oid), oid FROM pg_class WHERE oid = {_OIDS} "
        "UNION SELECT d.classid, d.objid FROM pg_depend d JOIN gone "
        "ON d.refclassid = gone.classid AND d.refobjid = gone.objid) "
        "SELECT count(*) FROM gone"
    )
    return int(_query(connection, sql, oids=_joined(oids)).scalar_one())


def lock_capacity(connection: Connection) -> int:
    """Entries that the server's lock table holds for all sessions (Lock Management, 19.12)."""
    sql = (
        "SELECT CAST(current_setting('max_locks_per_transaction') AS integer) * "
        "(CAST(current_setting('max_connections') AS integer) + "
        "CAST(current_setting('max_prepared_transactions') AS integer))"
    )
    return int(_query(connection, sql).scalar_one())


@contextmanager
def _counting(connection: Connection) -> Iterator[None]:
    savepoint = connection.begin_nested()
    try:
        for name, value in (
            ("row_security", "off"),
            ("statement_timeout", COUNT_TIMEOUT),
            ("lock_timeout", COUNT_LOCK_TIMEOUT),
        ):
            sql = "SELECT set_config(:name, :value, true)"
            _query(connection, sql, name=name, value=value)
        yield
    finally:
        # Rolling back also takes the settings back, in success as in failure.
        savepoint.rollback()


def _always(name: tuple[str, ...]) -> str:
    return ".".join(quote_always(part) for part in name)


def _joined(oids: Iterable[int]) -> str:
    return ",".join(str(oid) for oid in oids)


def _table(row: Any) -> Table:
    return Table(*row)


def _query(connection: Connection, sql: str, **values: Any) -> Any:
    from sqlalchemy import text

    return connection.execute(text(sql), values)
