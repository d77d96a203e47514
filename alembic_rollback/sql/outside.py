"""Which statements PostgreSQL refuses inside a transaction block, read from the syntax tree.

Source: PreventInTransactionBlock and its callers in PostgreSQL's utility.c, and the Notes of each
command's reference page. One function a parse node; a node that is not in the table may run inside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# Changing these at the publisher cannot be undone.
_SLOT_OPTIONS = ("failover", "two_phase")

Reason = Callable[[Any], str | None]


def why_outside_transaction(node: Any) -> str | None:
    """The command that needs no transaction around it (`VACUUM`), or None."""
    rule = _RULES.get(type(node).__name__)
    return rule(node) if rule else None


def _always(command: str) -> Reason:
    return lambda node: command


def _index(node: Any) -> str | None:
    return "CREATE INDEX CONCURRENTLY" if node.concurrent else None


def _drop(node: Any) -> str | None:
    return "DROP INDEX CONCURRENTLY" if node.concurrent else None


def _reindex(node: Any) -> str | None:
    if _is_on(node.params, "concurrently", default=False):
        return "REINDEX CONCURRENTLY"
    # DATABASE, SYSTEM and SCHEMA commit after each table.
    return None if node.HasField("relation") else "REINDEX of a schema or database"


def _vacuum(node: Any) -> str | None:
    return "VACUUM" if node.is_vacuumcmd else None


def _cluster(node: Any) -> str | None:
    return None if node.HasField("relation") else "CLUSTER of all tables"


def _alter_table(node: Any) -> str | None:
    for command in node.cmds:
        definition = getattr(command.alter_table_cmd, "def")  # a Python keyword
        if definition.WhichOneof("node") == "partition_cmd" and definition.partition_cmd.concurrent:
            return "DETACH PARTITION CONCURRENTLY"
    return None


def _alter_database(node: Any) -> str | None:
    return "ALTER DATABASE … SET TABLESPACE" if _has_option(node.options, "tablespace") else None


def _create_subscription(node: Any) -> str | None:
    # Making the slot on the publisher cannot be undone; without a connection nothing is made.
    makes_slot = _is_on(node.options, "connect") and _is_on(node.options, "create_slot")
    return "CREATE SUBSCRIPTION" if makes_slot else None


def _alter_subscription(node: Any) -> str | None:
    from postgast.pg_query_pb2 import AlterSubscriptionType

    kind = AlterSubscriptionType.Name(node.kind).removeprefix("ALTER_SUBSCRIPTION_")
    if kind == "REFRESH" or kind.startswith("REFRESH_"):
        return "ALTER SUBSCRIPTION … REFRESH"
    if kind.endswith("PUBLICATION") and _is_on(node.options, "refresh"):
        return "ALTER SUBSCRIPTION … PUBLICATION with refresh"
    if kind == "OPTIONS" and any(_has_option(node.options, n) for n in _SLOT_OPTIONS):
        return "ALTER SUBSCRIPTION … SET of the slot"
    return None


def _discard(node: Any) -> str | None:
    from postgast.pg_query_pb2 import DiscardMode

    return "DISCARD ALL" if DiscardMode.Name(node.target) == "DISCARD_ALL" else None


def _is_on(options: Any, name: str, *, default: bool = True) -> bool:
    """A boolean option; one without a value is on (DefElem, defGetBoolean)."""
    for option in (item.def_elem for item in options):
        if option.defname == name:
            value = option.arg.WhichOneof("node")
            if value == "boolean":
                return bool(option.arg.boolean.boolval)
            if value == "string":
                return option.arg.string.sval.lower() not in ("false", "off")
            return bool(option.arg.integer.ival) if value == "integer" else True
    return default


def _has_option(options: Any, name: str) -> bool:
    return any(option.def_elem.defname == name for option in options)


_RULES: dict[str, Reason] = {
    "AlterDatabaseStmt": _alter_database,
    "AlterSubscriptionStmt": _alter_subscription,
    "AlterSystemStmt": _always("ALTER SYSTEM"),
    "AlterTableStmt": _alter_table,
    "ClusterStmt": _cluster,
    "CreateSubscriptionStmt": _create_subscription,
    "CreateTableSpaceStmt": _always("CREATE TABLESPACE"),
    "CreatedbStmt": _always("CREATE DATABASE"),
    "DiscardStmt": _discard,
    "DropStmt": _drop,
    "DropSubscriptionStmt": _always("DROP SUBSCRIPTION"),
    "DropTableSpaceStmt": _always("DROP TABLESPACE"),
    "DropdbStmt": _always("DROP DATABASE"),
    "IndexStmt": _index,
    "ReindexStmt": _reindex,
    "VacuumStmt": _vacuum,
}
