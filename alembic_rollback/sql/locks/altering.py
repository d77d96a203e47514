"""ALTER TABLE, and ALTER of views, sequences, indexes where it is the same statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from alembic_rollback.sql.build import enum_name, inner, kind_of, nodes
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.locks.modes import (
    ACCESS_EXCLUSIVE,
    ACCESS_SHARE,
    SHARE_ROW_EXCLUSIVE,
    SHARE_UPDATE_EXCLUSIVE,
    Lock,
)

if TYPE_CHECKING:
    from alembic_rollback.sql.parser import Node

_WEAKER = {
    **dict.fromkeys(
        ("SetStatistics", "SetOptions", "ResetOptions", "ClusterOn", "DropCluster"),
        SHARE_UPDATE_EXCLUSIVE,
    ),
    **dict.fromkeys(
        ("ValidateConstraint", "AttachPartition", "DetachPartitionFinalize"),
        SHARE_UPDATE_EXCLUSIVE,
    ),
    **{
        f"{verb}Trig{which}": SHARE_ROW_EXCLUSIVE
        for verb in ("Enable", "EnableAlways", "EnableReplica", "Disable")
        for which in ("", "All", "User")
    },
}
"""Subcommands of ALTER TABLE that need less than ACCESS EXCLUSIVE."""
_WEAKER_OPTIONS = {
    "deduplicate_items",
    "fillfactor",
    "log_autovacuum_min_duration",
    "parallel_workers",
    "toast_tuple_target",
    "vacuum_index_cleanup",
    "vacuum_max_eager_freeze_failure_rate",
    "vacuum_truncate",
}


def alter(node: Node) -> Iterator[Lock]:
    """The locks of each subcommand of an ALTER TABLE."""
    name = relation_name(node.relation)
    for command in (item.alter_table_cmd for item in node.cmds):
        subtype = enum_name(command, "subtype").removeprefix("AT_")
        definition = inner(getattr(command, "def"))  # a Python keyword
        yield Lock(name, _mode_of(subtype, definition))
        if definition is not None:
            yield from _others(subtype, definition)


def _mode_of(subtype: str, definition: Node) -> str:
    if subtype in ("SetRelOptions", "ResetRelOptions"):
        return _mode_of_options(item.def_elem.defname for item in definition.items)
    if subtype == "AddConstraint" and definition.HasField("pktable"):
        return SHARE_ROW_EXCLUSIVE
    if subtype == "DetachPartition" and definition.concurrent:
        return SHARE_UPDATE_EXCLUSIVE
    return _WEAKER.get(subtype, ACCESS_EXCLUSIVE)


def _mode_of_options(names: Iterable[str]) -> str:
    weaker = all(name in _WEAKER_OPTIONS or name.startswith("autovacuum_") for name in names)
    return SHARE_UPDATE_EXCLUSIVE if weaker else ACCESS_EXCLUSIVE


def _others(subtype: str, definition: Node) -> Iterator[Lock]:
    """The other tables that a subcommand of ALTER TABLE names."""
    if subtype in ("AddInherit", "DropInherit"):
        mode = SHARE_UPDATE_EXCLUSIVE if subtype == "AddInherit" else ACCESS_SHARE
        yield Lock(relation_name(definition), mode)
    elif kind_of(definition) == "PartitionCmd":
        weaker = definition.concurrent
        mode = SHARE_UPDATE_EXCLUSIVE if weaker else ACCESS_EXCLUSIVE
        yield Lock(relation_name(definition.name), mode)
    else:
        yield from referenced(definition)


def referenced(tree: Node) -> Iterator[Lock]:
    """The tables that foreign keys in a tree point at."""
    for node in nodes(tree):
        if kind_of(node) == "Constraint" and node.HasField("pktable"):
            yield Lock(relation_name(node.pktable), SHARE_ROW_EXCLUSIVE)
