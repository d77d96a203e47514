"""Which statements PostgreSQL refuses inside a transaction block, read from the syntax tree.

Source: PreventInTransactionBlock and its callers in PostgreSQL's utility.c, and the Notes of each
command's reference page. One function a parse node; a node that is not in the table may run inside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
    if _has_option(node.params, "concurrently"):
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


def _has_option(options: Any, name: str) -> bool:
    return any(option.def_elem.defname == name for option in options)


_RULES: dict[str, Reason] = {
    "AlterDatabaseStmt": _alter_database,
    "AlterSubscriptionStmt": _always("ALTER SUBSCRIPTION"),
    "AlterSystemStmt": _always("ALTER SYSTEM"),
    "AlterTableStmt": _alter_table,
    "ClusterStmt": _cluster,
    "CreateSubscriptionStmt": _always("CREATE SUBSCRIPTION"),
    "CreateTableSpaceStmt": _always("CREATE TABLESPACE"),
    "CreatedbStmt": _always("CREATE DATABASE"),
    "DiscardStmt": _always("DISCARD"),
    "DropStmt": _drop,
    "DropSubscriptionStmt": _always("DROP SUBSCRIPTION"),
    "DropTableSpaceStmt": _always("DROP TABLESPACE"),
    "DropdbStmt": _always("DROP DATABASE"),
    "IndexStmt": _index,
    "ReindexStmt": _reindex,
    "VacuumStmt": _vacuum,
}
