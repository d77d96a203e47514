"""What hangs on a table that is moved away, dropped object by object as CASCADE would have."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from alembic_rollback.errors import Blocked
from alembic_rollback.sql.names import quote_always

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.catalog.dependencies import Address

_IDENTIFY = (
    "SELECT i.type, i.identity, CAST(to_json(a.object_names) AS text) "
    "FROM pg_identify_object(CAST(:classid AS oid), CAST(:objid AS oid), :sub) i, "
    "pg_identify_object_as_address(CAST(:classid AS oid), CAST(:objid AS oid), :sub) a"
)
_BY_IDENTITY = frozenset(
    (
        "aggregate",
        "domain",
        "foreign table",
        "function",
        "index",
        "materialized view",
        "operator",
        "procedure",
        "sequence",
        "statistics object",
        "table",
        "type",
        "view",
    )
)
_WORDS = {"statistics object": "STATISTICS"}
_OF_TABLES = {
    "default value": "ALTER TABLE {0} ALTER COLUMN {1} DROP DEFAULT",
    "policy": "DROP POLICY {1} ON {0}",
    "rule": "DROP RULE {1} ON {0} CASCADE",
    "table column": "ALTER TABLE {0} DROP COLUMN {1} CASCADE",
    "table constraint": "ALTER TABLE {0} DROP CONSTRAINT {1} CASCADE",
    "trigger": "DROP TRIGGER {1} ON {0} CASCADE",
}
"""Of the table's name and that of its part."""


def drop_all(connection: Connection, addresses: Iterable[Address]) -> None:
    """Drop some objects, each with what needs it.

    Raises Blocked for a kind that cannot be dropped by itself.
    """
    for address in addresses:
        sql = _drop(connection, address)
        if sql:
            connection.exec_driver_sql(sql, execution_options={"no_parameters": True})


def _drop(connection: Connection, address: Address) -> str | None:
    """The statement; None where the object went with another by now."""
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    values = {"classid": address.classid, "objid": address.objid, "sub": address.objsubid}
    savepoint = connection.begin_nested()
    try:
        kind, identity, listed = connection.execute(text(_IDENTIFY), values).one()
    except DBAPIError:  # some catalogs' lookups fail where the object is gone
        savepoint.rollback()
        return None
    savepoint.commit()
    names: list[str] = json.loads(listed or "[]")
    if kind is None or not names:
        return None
    if kind == "rule" and names[-1] == "_RETURN":
        return _drop_view(connection, names[:-1])
    if kind in _OF_TABLES:
        return _OF_TABLES[kind].format(_named(names[:-1]), quote_always(names[-1]))
    if kind in _BY_IDENTITY:
        return f"DROP {_WORDS.get(kind, kind.upper())} {identity} CASCADE"
    if kind == "publication relation":
        return None
    raise Blocked(
        f"{kind} {identity} hangs on a table that is to be archived, and can't be taken off it.",
        state="Nothing was changed.",
        next_step="Drop it first, or run it without --archive.",
    )


def _drop_view(connection: Connection, names: list[str]) -> str:
    from sqlalchemy import text

    sql = "SELECT relkind = 'm' FROM pg_class WHERE oid = to_regclass(:name)"
    materialized = connection.execute(text(sql), {"name": _named(names)}).scalar()
    return f"DROP {'MATERIALIZED ' if materialized else ''}VIEW {_named(names)} CASCADE"


def _named(names: list[str]) -> str:
    return ".".join(map(quote_always, names))
