"""Tables by oid: their schema and name, and which of them and of their children hold rows.

Materialized views can be computed again and foreign tables keep their rows elsewhere: neither has
rows to save, and both are left out. So are temporary tables, which no other session can read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_GIVEN = "SELECT oid FROM pg_class WHERE oid = ANY (CAST(string_to_array(:oids, ',') AS oid[]))"
_TREE = (
    f"WITH RECURSIVE tree (oid) AS ({_GIVEN} UNION "
    "SELECT i.inhrelid FROM pg_inherits i JOIN tree ON i.inhparent = tree.oid) "
)
_NAMES = (
    "SELECT c.oid, n.nspname, c.relname FROM tree JOIN pg_class c ON c.oid = tree.oid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relpersistence <> 't' AND c.relkind = ANY (string_to_array(:kinds, ',')) "
    "ORDER BY n.nspname, c.relname"
)


def qualified_names(connection: Connection, oids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Schema and name of the tables among these, partitioned ones too, by oid."""
    found = _query(connection, f"WITH tree AS ({_GIVEN}) ", oids, "r,p")
    return {oid: (schema, name) for oid, schema, name in found}


def tables_with_data(connection: Connection, oids: Iterable[int]) -> tuple[tuple[str, str], ...]:
    """Schema and name of each table that holds rows of these: partitions and children instead.

    A table that has children by inheritance and rows of its own is there with them.
    """
    found = _query(connection, _TREE, oids, "r")
    return tuple((schema, name) for _, schema, name in found)


def partitioned_tables(connection: Connection, oids: Iterable[int]) -> tuple[tuple[str, str], ...]:
    """Schema and name of the partitioned tables among these and below them: without rows."""
    found = _query(connection, _TREE, oids, "p")
    return tuple((schema, name) for _, schema, name in found)


def _query(connection: Connection, head: str, oids: Iterable[int], kinds: str) -> Any:
    from sqlalchemy import text

    values = {"oids": ",".join(map(str, oids)), "kinds": kinds}
    return connection.execute(text(head + _NAMES), values)
