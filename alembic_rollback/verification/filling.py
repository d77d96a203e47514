"""Rows in the tables before an up, and where the sequences stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alembic_rollback.seeding import seed
from alembic_rollback.sql.names import quote_always, quote_literal, quote_name
from alembic_rollback.survival import Rows, remember

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


@dataclass(frozen=True)
class Filled:
    """The rows before the up."""

    rows: Rows
    unseeded: Mapping[str, str]
    without: Sequence[tuple[str, str]] = ()
    """Tables that the revision has nothing to do with."""


def query(connection: Connection, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a statement that holds no parameters."""
    result = connection.exec_driver_sql(sql, execution_options={"no_parameters": True})
    return [tuple(row) for row in result] if result.returns_rows else []


_TABLES = """
SELECT c.oid, n.nspname, c.relname, pg_table_is_visible(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""


def fill(connection: Connection, rows: int, only: set[int] | None) -> Filled:
    """Put rows into the tables, or some of them, and remember them."""
    found = query(connection, _TABLES)
    tables = {oid: (schema, name) for oid, schema, name, _ in found}
    visible = {tables[oid] for oid, *_, seen in found if seen}
    chosen = set(tables) if only is None else {oid for oid in tables if oid in only}
    if not chosen:
        return Filled(Rows({}), {}, tuple(tables.values()))
    seeded = seed(connection, rows, None if only is None else chosen)
    without = tuple(name for name in tables.values() if name not in seeded.rows)
    unseeded = {
        quote_name(name[1:] if name in visible else name): reason
        for name, reason in seeded.unseeded
    }
    return Filled(remember(connection, without=without), unseeded, without)


_SEQUENCES = """
SELECT s.seqrelid, n.nspname, c.relname FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relpersistence <> 't' ORDER BY 1
"""
_Position = tuple[str, int, bool]


def positions(connection: Connection) -> dict[int, _Position]:
    """Where the sequences stand, by oid."""
    names = {
        oid: f"{quote_always(schema)}.{quote_always(name)}"
        for oid, schema, name in query(connection, _SEQUENCES)
    }
    if not names:
        return {}
    sql = " UNION ALL ".join(
        f"SELECT {oid}, last_value, is_called FROM {name}" for oid, name in names.items()
    )
    return {oid: (names[oid], last, called) for oid, last, called in query(connection, sql)}


def set_positions(connection: Connection, wanted: Mapping[int, _Position]) -> None:
    """Put sequences back to where they stood, and commit."""
    current = positions(connection)
    for name, last, called in (one for oid, one in wanted.items() if current[oid] != one):
        query(connection, f"SELECT setval({quote_literal(name)}, {last}, {called})")
    connection.commit()
