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

_MOST_PARTS = 3
"""database.schema.name; to_regclass fails on more, as the statement itself will."""
_HARMLESS = (
    "clock_timestamp",
    "gen_random_uuid",
    "nextval",
    "pg_advisory_xact_lock",
    "pg_notify",
    "pg_sleep",
    "random",
    "set_config",
    "setval",
    "timeofday",
)
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
    """Rows by pg_class.reltuples or the statistics; 0 and less where PostgreSQL doesn't know."""
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
    "SELECT c.oid, n.nspname, c.relname, c.relkind, "
    "greatest(CAST(c.reltuples AS bigint), pg_stat_get_live_tuples(c.oid)), "
    "pg_table_is_visible(c.oid), "
    "(SELECT count(*) FROM pg_index WHERE indrelid = c.oid), "
    "(SELECT count(*) FROM pg_policy WHERE polrelid = c.oid), "
    "(SELECT count(*) FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal) "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
)
_OIDS = "ANY (CAST(string_to_array(:oids, ',') AS oid[]))"


def find_table(connection: Connection, name: tuple[str, ...]) -> Table | None:
    """The relation of that name; None where there is none."""
    if len(name) > _MOST_PARTS:
        return None
    rows = _query(connection, _TABLE + "c.oid = to_regclass(:name)", name=_always(name))
    return next((_table(row) for row in rows), None)


def tables_in_schema(connection: Connection, schema: str) -> tuple[Table, ...]:
    """Every table and materialized view in a schema; partitions not apart from their parent."""
    condition = (
        "n.nspname = :schema AND c.relkind IN ('r', 'p', 'm', 'f') AND NOT EXISTS ("
        "SELECT FROM pg_inherits i JOIN pg_class parent ON parent.oid = i.inhparent "
        "WHERE i.inhrelid = c.oid AND c.relispartition "
        "AND parent.relnamespace = c.relnamespace) ORDER BY c.oid"
    )
    return tuple(_table(row) for row in _query(connection, _TABLE + condition, schema=schema))


def table_of_index(connection: Connection, name: tuple[str, ...]) -> int | None:
    """The oid of the table that an index belongs to."""
    if len(name) > _MOST_PARTS:
        return None
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
        return RowCount(table.estimate if table.estimate > 0 else None, exact=False)
    if rows > limit:
        return RowCount(max(table.estimate, rows - 1), exact=False)
    return RowCount(rows)


def schema_oid(connection: Connection, schema: str) -> int | None:
    """A schema's oid; None where there is none."""
    sql = "SELECT oid FROM pg_namespace WHERE nspname = :schema"
    found: int | None = _query(connection, sql, schema=schema).scalar()
    return found


def reached_by_foreign_keys(
    connection: Connection, oid: int, *, deleting: bool
) -> tuple[Table, ...]:
    """Tables that lose rows together with a table: by TRUNCATE … CASCADE, or when rows are deleted.

    deleting: only through foreign keys ON DELETE CASCADE.
    """
    condition = "AND k.confdeltype = 'c' " if deleting else ""
    sql = (
        "WITH RECURSIVE reached (oid) AS (SELECT CAST(:oid AS oid) UNION "
        "SELECT k.conrelid FROM pg_constraint k JOIN reached ON k.confrelid = reached.oid "
        f"WHERE k.contype = 'f' {condition}) "
        + _TABLE
        + "c.oid IN (SELECT oid FROM reached) AND c.oid <> :oid ORDER BY c.oid"
    )
    return tuple(_table(row) for row in _query(connection, sql, oid=oid))


def count_locks_of_drop(
    connection: Connection, tables: Iterable[int], schemas: Iterable[int]
) -> int:
    """Entries in the server's lock table that dropping with CASCADE takes, until the commit.

    One for each object that goes, followed over pg_depend as PostgreSQL does, and one for each
    table whose foreign key goes with them (AcquireDeletionLock in dependency.c).
    """
    sql = (
        "WITH RECURSIVE gone (classid, objid) AS ("
        f"SELECT CAST(CAST('pg_class' AS regclass) AS oid), oid FROM pg_class WHERE oid = {_OIDS} "
        "UNION SELECT CAST(CAST('pg_namespace' AS regclass) AS oid), oid FROM pg_namespace "
        f"WHERE oid = {_OIDS.replace(':oids', ':schemas')} "
        "UNION SELECT near.classid, near.objid FROM gone CROSS JOIN LATERAL ("
        "SELECT d.classid, d.objid FROM pg_depend d "
        "WHERE d.refclassid = gone.classid AND d.refobjid = gone.objid "
        # What is internal to an object that stays takes that object with it: a rule its view.
        "UNION ALL SELECT d.refclassid, d.refobjid FROM pg_depend d "
        "WHERE d.classid = gone.classid AND d.objid = gone.objid AND d.deptype = 'i') near) "
        "SELECT (SELECT count(*) FROM gone) + (SELECT count(DISTINCT conrelid) FROM pg_constraint "
        "WHERE contype = 'f' AND oid IN (SELECT objid FROM gone))"
    )
    values = {"oids": _joined(tables), "schemas": _joined(schemas)}
    return int(_query(connection, sql, **values).scalar_one())


def count_locks_of_use(connection: Connection, oid: int) -> int:
    """Entries for a statement that changes a table: it, its children, and all their indexes."""
    sql = (
        "WITH RECURSIVE tree (oid) AS (SELECT CAST(:oid AS oid) UNION "
        "SELECT inhrelid FROM pg_inherits JOIN tree ON inhparent = tree.oid) "
        "SELECT sum(3 + (SELECT count(*) FROM pg_index WHERE indrelid = tree.oid)) FROM tree"
    )
    return int(_query(connection, sql, oid=oid).scalar_one())


def is_harmless_function(connection: Connection, name: tuple[str, ...]) -> bool:
    """Whether a call can only mean a function of PostgreSQL's own that touches no row.

    Volatile ones are harmless only by name: query_to_xml, for one, runs any statement.
    """
    sql = (
        "SELECT count(*) > 0 AND bool_and(n.nspname = 'pg_catalog' AND (p.provolatile <> 'v' "
        "OR p.proname = ANY (string_to_array(:harmless, ',')))) "
        "FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proname = :name "
        "AND CASE WHEN :schema = '' THEN pg_function_is_visible(p.oid) ELSE n.nspname = :schema END"
    )
    values = {"name": name[-1], "schema": name[-2] if len(name) > 1 else ""}
    return bool(_query(connection, sql, harmless=",".join(_HARMLESS), **values).scalar_one())


def lock_tables(connection: Connection, oids: Iterable[int]) -> None:
    """Take ACCESS EXCLUSIVE locks, in one order for everybody, until the transaction ends.

    What cannot be locked (a materialized view, another role's table) is left to the statement that
    drops it. Raises DBAPIError where a lock is not given in time.
    """
    sql = (
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE c.oid = {_OIDS} AND c.relkind IN ('r', 'p') "
        "AND pg_has_role(c.relowner, 'USAGE') ORDER BY c.oid"
    )
    names = [quote_name(tuple(row)) for row in _query(connection, sql, oids=_joined(oids))]
    if names:
        connection.exec_driver_sql(
            f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE",
            execution_options={"no_parameters": True},
        )


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
