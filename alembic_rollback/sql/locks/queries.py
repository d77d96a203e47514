"""What queries read and write: SELECT, INSERT, UPDATE, DELETE, MERGE, anywhere in a statement."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_rollback.sql.build import inner, kind_of
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.locks.modes import ACCESS_SHARE, ROW_EXCLUSIVE, ROW_SHARE, Lock
from alembic_rollback.sql.parser import Node

_WRITES = ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")
_ELSEWHERE = {
    *((kind, field) for kind in _WRITES for field in ("relation", "with_clause")),
    *(("SelectStmt", field) for field in ("from_clause", "into_clause", "with_clause")),
    ("AlterPolicyStmt", "table"),
    ("CreatePolicyStmt", "table"),
    ("CreateTableAsStmt", "into"),
    ("LockingClause", "locked_rels"),
    ("RuleStmt", "relation"),
    ("ViewStmt", "view"),
}
"""Fields whose relations are no reads: they are made, or their locks are told in another place."""
_Place = tuple[Node, frozenset[str], str]
"""A node, the names that mean a CTE there, and the mode of what is read there."""


def used(root: Node) -> Iterator[Lock]:
    """What queries in a tree read and write; a CTE's name is no relation's."""
    waiting: list[_Place] = [(root, frozenset(), ACCESS_SHARE)]
    while waiting:
        node, ctes, mode = waiting.pop()
        kind = kind_of(node)
        if kind == "RangeVar":
            if node.schemaname or node.relname not in ctes:
                yield Lock(relation_name(node), mode)
            continue
        if kind in _WRITES:
            yield Lock(relation_name(node.relation), ROW_EXCLUSIVE)
        if kind in ("SelectStmt", *_WRITES):
            waiting += _of_ctes(node.with_clause, ctes)
            ctes |= {item.common_table_expr.ctename for item in node.with_clause.ctes}
        if kind == "SelectStmt":
            waiting += _of_from(node, ctes, mode)
        below = mode if kind in ("Node", "RangeSubselect", "RangeTableSample") else ACCESS_SHARE
        waiting += ((child, ctes, below) for child in _children(node, kind))


def _of_ctes(clause: Node, seen: frozenset[str]) -> Iterator[_Place]:
    """A CTE's query sees the CTEs before it; with RECURSIVE all of them."""
    items = [item.common_table_expr for item in clause.ctes]
    if clause.recursive:
        seen |= {item.ctename for item in items}
    for item in items:
        yield item, seen, ACCESS_SHARE
        seen |= {item.ctename}


def _of_from(select: Node, ctes: frozenset[str], mode: str) -> Iterator[_Place]:
    """What stands in FROM, which FOR UPDATE and FOR SHARE lock, all of it or OF some names."""
    locked = [item.locking_clause.locked_rels for item in select.locking_clause]
    names = {name.range_var.relname for rels in locked for name in rels}
    every = mode == ROW_SHARE or not all(locked)
    waiting = [inner(item) for item in select.from_clause]
    while waiting:
        node = waiting.pop()
        if kind_of(node) == "JoinExpr":
            waiting += (inner(node.larg), inner(node.rarg))
            yield node.quals, ctes, ACCESS_SHARE
        else:
            yield node, ctes, ROW_SHARE if every or _called(node) in names else ACCESS_SHARE


def _called(node: Node) -> str | None:
    """The name that FOR UPDATE OF knows something in FROM by."""
    if kind_of(node) == "RangeTableSample":
        node = inner(node.relation)
    alias = getattr(node, "alias", None)
    return alias.aliasname if alias and alias.aliasname else getattr(node, "relname", None)


def _children(node: Node, kind: str) -> Iterator[Node]:
    for field, value in node.ListFields():
        if field.message_type is not None and (kind, field.name) not in _ELSEWHERE:
            yield from [value] if hasattr(value, "ListFields") else value
