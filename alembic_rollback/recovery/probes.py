"""Statements that no transaction holds together: was this one executed, and did it leave anything?

Sources: PostgreSQL's reference pages of CREATE INDEX ("Building Indexes Concurrently"), REINDEX
("Rebuilding Indexes Concurrently") and ALTER TABLE (DETACH PARTITION … FINALIZE).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.names import quote_name
from alembic_rollback.sql.outside import why_outside_transaction

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.sql.parser import Statement

Found: TypeAlias = Mapping[str, Any]
"""What was there before a statement: oids, which survive renames and another search_path."""


@dataclass(frozen=True)
class Settled:
    """What has become of a statement whose end is not recorded."""

    done: bool | None
    """None: nobody can tell."""
    repairs: tuple[str, ...] = ()
    """SQL to be run before anything else: it clears away what was left, or finishes it."""
    words: str = ""
    """What the catalog says, as a sentence; empty where nothing is to be said."""


@dataclass(frozen=True)
class Probe:
    """How to tell, for one kind of statement."""

    before: Callable[[Connection, Any], dict[str, Any] | None]
    after: Callable[[Connection, Any, Found], Settled]


_AGAIN = Settled(done=False)
_DONE = Settled(done=True)
_UNKNOWN = Settled(done=None)
_MAY_COMMIT = ("CallStmt", "DoStmt")
"""Their procedures may contain COMMIT, so they cannot be put into a transaction."""


def holds_alone(statement: Statement) -> bool:
    """Whether the statement, in a transaction of its own, is executed whole or not at all."""
    return statement.kind not in _MAY_COMMIT and not why_outside_transaction(statement.node)


def note_before(connection: Connection, statement: Statement) -> str | None:
    """What to keep with the intent, so that the outcome can be told; None where nothing helps."""
    probe = _PROBES.get(statement.kind)
    found = probe.before(connection, statement.node) if probe else None
    return json.dumps(found) if found is not None else None


def settle(
    connection: Connection, statement: Statement, found: str | None, *, failed: bool
) -> Settled:
    """What became of a statement that was begun.

    found: what `note_before` returned. failed: the server has reported an error.
    """
    probe = _PROBES.get(statement.kind)
    if statement.kind in _REPEATABLE:
        return _AGAIN
    if probe and found is not None:
        return probe.after(connection, statement.node, json.loads(found))
    # What failed as a whole can be run again; procedures that commit are for a person to judge.
    return _AGAIN if failed else _UNKNOWN


def _rows(connection: Connection, sql: str, **values: Any) -> list[Any]:
    from sqlalchemy import text

    return list(connection.execute(text(sql), values))


def _oid(connection: Connection, name: tuple[str, ...]) -> int | None:
    """A relation's oid, under the search_path of the moment."""
    (row,) = _rows(connection, "SELECT CAST(to_regclass(:name) AS oid)", name=quote_name(name))
    return row[0]  # type: ignore[no-any-return]


def _drop_index(name: str) -> str:
    return f"DROP INDEX CONCURRENTLY IF EXISTS {name}"


def _left(names: str) -> str:
    return f"The statement that broke left {names} invalid; that is dropped first." if names else ""


def _index_before(connection: Connection, node: Any) -> dict[str, Any] | None:
    if not node.concurrent:
        return None
    table = _oid(connection, relation_name(node.relation))
    sql = "SELECT indexrelid FROM pg_index WHERE indrelid = :table"
    return {"table": table, "indexes": [row[0] for row in _rows(connection, sql, table=table)]}


def _index_after(connection: Connection, node: Any, found: Found) -> Settled:
    sql = (
        "SELECT indisvalid, CAST(CAST(indexrelid AS regclass) AS text) FROM pg_index i "
        "JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = :table "
        "AND indexrelid <> ALL(:indexes) AND (:name = '' OR relname = :name)"
    )
    indexes = [*found["indexes"], 0]  # an empty array has no type
    rows = _rows(connection, sql, table=found["table"], indexes=indexes, name=node.idxname)
    if any(valid for valid, _ in rows):
        return _DONE
    repairs = tuple(_drop_index(name) for _, name in rows)
    left = ", ".join(name for _, name in rows)
    return Settled(False, repairs, _left(left))


def _dropped_before(connection: Connection, node: Any) -> dict[str, Any] | None:
    if not node.concurrent:
        return None
    (item,) = node.objects
    index = _oid(connection, tuple(part.string.sval for part in item.list.items))
    rows = _rows(connection, _USABLE, index=index)
    return {"index": index, "valid": bool(rows and rows[0][0])}


_USABLE = (
    "SELECT indisvalid, indislive, CAST(CAST(indexrelid AS regclass) AS text) FROM pg_index "
    "WHERE indexrelid = :index"
)


def _dropped_after(connection: Connection, node: Any, found: Found) -> Settled:
    """It is made invalid first, and then dead; only what follows takes it away."""
    rows = _rows(connection, _USABLE, index=found["index"])
    if not rows:
        return _DONE
    valid, live, name = rows[0]
    if live and (valid or not found["valid"]):
        return _AGAIN
    return Settled(True, (_drop_index(name),), f"Dropping {name} was under way; it is finished.")


_INVALID = (
    "SELECT indexrelid, CAST(CAST(indexrelid AS regclass) AS text) FROM pg_index "
    "JOIN pg_class c ON c.oid = indexrelid WHERE NOT indisvalid AND relkind = 'i' "
    "AND relname LIKE '%\\_cc%'"
)


def _reindex_before(connection: Connection, node: Any) -> dict[str, Any]:
    return {"invalid": [row[0] for row in _rows(connection, _INVALID)]}


def _reindex_after(connection: Connection, node: Any, found: Found) -> Settled:
    """Rebuilding is repeatable; `…_ccnew` and `…_ccold` of the broken attempt go first."""
    left = [name for oid, name in _rows(connection, _INVALID) if oid not in found["invalid"]]
    return Settled(False, tuple(map(_drop_index, left)), _left(", ".join(left)))


def _detach_before(connection: Connection, node: Any) -> dict[str, Any] | None:
    if not why_outside_transaction(node):
        return None
    for command in node.cmds:
        definition = getattr(command.alter_table_cmd, "def")  # a Python keyword
        return {
            "parent": _oid(connection, relation_name(node.relation)),
            "partition": _oid(connection, relation_name(definition.partition_cmd.name)),
        }
    return None


def _detach_after(connection: Connection, node: Any, found: Found) -> Settled:
    sql = (
        "SELECT inhdetachpending, CAST(CAST(inhparent AS regclass) AS text), "
        "CAST(CAST(inhrelid AS regclass) AS text) FROM pg_inherits "
        "WHERE inhparent = :parent AND inhrelid = :partition"
    )
    rows = _rows(connection, sql, parent=found["parent"], partition=found["partition"])
    if not rows:
        return _DONE
    pending, parent, partition = rows[0]
    if not pending:
        return _AGAIN
    finalize = f"ALTER TABLE {parent} DETACH PARTITION {partition} FINALIZE"
    return Settled(True, (finalize,), f"Detaching {partition} was pending; it is finished.")


def _named(catalog: str, column: str, field: str, *, made: bool) -> Probe:
    """A shared object by its name: CREATE and DROP of it."""
    sql = f"SELECT oid FROM {catalog} WHERE {column} = :name"

    def before(connection: Connection, node: Any) -> dict[str, Any]:
        return {"oids": [row[0] for row in _rows(connection, sql, name=getattr(node, field))]}

    def after(connection: Connection, node: Any, found: Found) -> Settled:
        now = [row[0] for row in _rows(connection, sql, name=getattr(node, field))]
        if made:
            return _DONE if set(now) - set(found["oids"]) else _AGAIN
        return _AGAIN if now else _DONE

    return Probe(before, after)


_PROBES = {
    "AlterTableStmt": Probe(_detach_before, _detach_after),
    "CreateSubscriptionStmt": _named("pg_subscription", "subname", "subname", made=True),
    "CreateTableSpaceStmt": _named("pg_tablespace", "spcname", "tablespacename", made=True),
    "CreatedbStmt": _named("pg_database", "datname", "dbname", made=True),
    "DropStmt": Probe(_dropped_before, _dropped_after),
    "DropSubscriptionStmt": _named("pg_subscription", "subname", "subname", made=False),
    "DropTableSpaceStmt": _named("pg_tablespace", "spcname", "tablespacename", made=False),
    "DropdbStmt": _named("pg_database", "datname", "dbname", made=False),
    "IndexStmt": Probe(_index_before, _index_after),
    "ReindexStmt": Probe(_reindex_before, _reindex_after),
}
_REPEATABLE = (
    "AlterDatabaseStmt",
    "AlterSubscriptionStmt",
    "AlterSystemStmt",
    "ClusterStmt",
    "DiscardStmt",
    "VacuumStmt",
)
"""Run twice, they do what they do once."""
