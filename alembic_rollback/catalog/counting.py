"""How many rows or values there are: exactly up to a budget, and never 0 for what cannot be seen.

A count takes ACCESS SHARE for as long as it lasts, which no writer waits for. It waits for nobody
longer than LOCK_TIMEOUT itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from alembic_rollback.sql.names import quote_always, quote_name

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.catalog.tables import Table

_SMALL, _TOGETHER = 10_000, 100
"""Rows by PostgreSQL's estimate, and tables, that are counted in one query."""
LOCK_TIMEOUT = "1s"
"""How long a count waits for somebody's ACCESS EXCLUSIVE lock."""


@dataclass(frozen=True)
class Budget:
    """What one table's count may cost."""

    rows: int = 1_000_000
    timeout: str = "5s"
    """PostgreSQL's format."""


@dataclass(frozen=True)
class RowCount:
    """A number of rows. None where it isn't known; not exact where it is an estimate."""

    rows: int | None
    exact: bool = True
    why: str = ""
    """Why it could not be counted, where a right is missing."""


def count_rows(
    connection: Connection,
    table: Table,
    budget: Budget,
    *,
    column: str | None = None,
    only: bool = False,
) -> RowCount:
    """Count a table's rows, or a column's non-null values, exactly up to the budget.

    only: without the rows of tables that inherit from it. Row-level security would hide rows from
    an owner under FORCE: it is switched off for the count, and where that is not allowed, or the
    count takes too long or waits for a lock, PostgreSQL's estimate is given.
    """
    from sqlalchemy.exc import DBAPIError

    test = f"WHERE {quote_always(column)} IS NOT NULL " if column else ""
    inner = f"SELECT FROM {'ONLY ' if only else ''}{_name(table)} {test}"
    try:
        with _counting(connection, budget):
            sql = f"SELECT count(*) FROM ({_escaped(inner)}LIMIT :many) counted"
            rows = int(_query(connection, sql, many=budget.rows + 1).scalar_one())
    except DBAPIError:
        return replace(estimated(table), why=_missing_right(connection, table))
    if rows > budget.rows:
        return RowCount(max(table.estimate, rows - 1), exact=False)
    return RowCount(rows)


def count_many(
    connection: Connection, tables: Sequence[Table], budget: Budget
) -> dict[int, RowCount]:
    """Count the own rows of tables that seem to be small, many in one query.

    Where one of them cannot be counted, or all together take too long, those of the query are left
    out: `count_rows` says of each what the matter is.
    """
    from sqlalchemy.exc import DBAPIError

    found: dict[int, RowCount] = {}
    small = [table for table in tables if table.estimate < _SMALL]
    for start in range(0, len(small), _TOGETHER):
        some = small[start : start + _TOGETHER]
        sql = " UNION ALL ".join(
            f"SELECT {table.oid}, count(*) FROM "
            f"(SELECT FROM ONLY {_escaped(_name(table))} LIMIT :many) counted"
            for table in some
        )
        with suppress(DBAPIError), _counting(connection, budget):
            for oid, rows in _query(connection, sql, many=budget.rows + 1):
                if rows <= budget.rows:
                    found[oid] = RowCount(rows)
    return found


def _missing_right(connection: Connection, table: Table) -> str:
    sql = (
        "SELECT has_schema_privilege(relnamespace, 'USAGE'), has_table_privilege(oid, 'SELECT'), "
        "row_security_active(oid) FROM pg_class WHERE oid = :oid"
    )
    usage, select, hiding = _query(connection, sql, oid=table.oid).one()
    if not usage:
        return "this role lacks USAGE on its schema"
    if not select:
        return "this role lacks SELECT on it"
    return "row-level security hides rows from this role" if hiding else ""


def estimated(table: Table) -> RowCount:
    """PostgreSQL's estimate; none where it is 0, which need not be true."""
    return RowCount(table.estimate if table.estimate > 0 else None, exact=False)


def count_changed(
    connection: Connection, table: Table, column: str, converted: str, budget: Budget
) -> tuple[RowCount, RowCount] | None:
    """How many values a conversion does not keep, and how many there are.

    converted: an expression of the column in the new type. A value is kept where converting it
    back gives the same text. None where that cannot be told: no such cast, a value that fails.
    """
    from sqlalchemy.exc import DBAPIError

    name = quote_always(column)
    try:
        with _counting(connection, budget):
            back = f"CAST(CAST({converted} AS {_type_of(connection, table, column)}) AS text)"
            rows = (
                f"SELECT CAST({name} AS text) AS was, {back} AS becomes "
                f"FROM {_name(table)} WHERE {name} IS NOT NULL"
            )
            sql = (
                "SELECT count(*) FILTER (WHERE was IS DISTINCT FROM becomes), count(*) "
                f"FROM ({_escaped(rows)} LIMIT :many) counted"
            )
            changed, every = _query(connection, sql, many=budget.rows + 1).one()
    except DBAPIError:
        return None
    exact = every <= budget.rows
    return RowCount(changed, exact), RowCount(every if exact else table.estimate, exact)


def _type_of(connection: Connection, table: Table, column: str) -> str:
    sql = (
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = :oid AND attname = :name"
    )
    return str(_query(connection, sql, oid=table.oid, name=column).scalar_one())


@contextmanager
def _counting(connection: Connection, budget: Budget) -> Iterator[None]:
    savepoint = connection.begin_nested()
    try:
        sql = (
            "SELECT set_config('row_security', 'off', true), "
            "set_config('statement_timeout', :timeout, true), "
            "set_config('lock_timeout', :lock_timeout, true)"
        )
        _query(connection, sql, timeout=budget.timeout, lock_timeout=LOCK_TIMEOUT)
        yield
    finally:
        # Rolling back also takes the settings and the lock back, in success as in failure.
        savepoint.rollback()


def _name(table: Table) -> str:
    return quote_name((table.schema, table.name))


def _escaped(sql: str) -> str:
    return sql.replace(":", "\\:")


def _query(connection: Connection, sql: str, **values: Any) -> Any:
    from sqlalchemy import text

    return connection.execute(text(sql), values)
