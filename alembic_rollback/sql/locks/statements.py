"""What each kind of statement locks, of the relations that it names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from alembic_rollback.sql.build import enum_name, kind_of, options, strings
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.locks.altering import alter, referenced
from alembic_rollback.sql.locks.modes import (
    ACCESS_EXCLUSIVE,
    ACCESS_SHARE,
    EXCLUSIVE,
    MODES,
    ROW_EXCLUSIVE,
    SHARE,
    SHARE_ROW_EXCLUSIVE,
    SHARE_UPDATE_EXCLUSIVE,
    Lock,
)
from alembic_rollback.sql.locks.queries import used
from alembic_rollback.sql.parser import Node

Handler = Callable[[Node], Iterable[Lock]]


def _on(mode: str, field: str = "relation") -> Handler:
    """One mode on the relation in a field."""
    return lambda node: [Lock(relation_name(getattr(node, field)), mode)]


def _on_and_used(mode: str, field: str = "relation") -> Handler:
    """One mode on the relation in a field, and what its expressions and queries use."""

    def handler(node: Node) -> Iterator[Lock]:
        yield Lock(relation_name(getattr(node, field)), mode)
        yield from used(node)

    return handler


def _copy(node: Node) -> Iterator[Lock]:
    if node.HasField("query"):
        yield from used(node.query)
    else:
        yield Lock(relation_name(node.relation), ROW_EXCLUSIVE if node.is_from else ACCESS_SHARE)


def _view(node: Node) -> Iterator[Lock]:
    if node.replace:
        yield Lock(relation_name(node.view), ACCESS_EXCLUSIVE)
    yield from used(node)


def _all_of(mode: str) -> Handler:
    """One mode on every relation in a list."""
    return lambda node: [Lock(relation_name(item.range_var), mode) for item in node.relations]


def _lock(node: Node) -> Iterable[Lock]:
    return _all_of(MODES[node.mode - 1])(node)


_RELATIONS = {f"OBJECT_{w}" for w in ("TABLE", "VIEW", "MATVIEW", "SEQUENCE", "FOREIGN_TABLE")}
_ON_TABLE = {"OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE", "OBJECT_TABCONSTRAINT"}


def _drop(node: Node) -> Iterator[Lock]:
    kind = enum_name(node, "remove_type")
    mode = SHARE_UPDATE_EXCLUSIVE if node.concurrent else ACCESS_EXCLUSIVE
    for item in node.objects:
        if kind in _RELATIONS:
            yield Lock(strings(item.list.items), mode)
        elif kind == "OBJECT_INDEX":
            yield Lock(strings(item.list.items), mode, table_mode=mode)
        elif kind in _ON_TABLE:
            yield Lock(strings(item.list.items)[:-1], mode)


def _comment(node: Node) -> Iterator[Lock]:
    kind, name = enum_name(node, "objtype"), strings(node.object.list.items)
    if kind in _RELATIONS | {"OBJECT_INDEX"}:
        yield Lock(name, SHARE_UPDATE_EXCLUSIVE)
    elif kind == "OBJECT_COLUMN":
        yield Lock(name[:-1], SHARE_UPDATE_EXCLUSIVE)
    elif kind in _ON_TABLE:
        yield Lock(name[:-1], ACCESS_SHARE)


def _rename(node: Node) -> Iterator[Lock]:
    if node.HasField("relation"):
        index = enum_name(node, "rename_type") == "OBJECT_INDEX"
        yield Lock(
            relation_name(node.relation), SHARE_UPDATE_EXCLUSIVE if index else ACCESS_EXCLUSIVE
        )


def _where_given(mode: str) -> Handler:
    """One mode on the relation, for a node that has none where it is about something else."""
    return lambda node: _on(mode)(node) if node.HasField("relation") else ()


def _depends(node: Node) -> Iterable[Lock]:
    trigger = enum_name(node, "object_type") == "OBJECT_TRIGGER"
    return _where_given(ACCESS_SHARE if trigger else ACCESS_EXCLUSIVE)(node)


def _create(node: Node) -> Iterator[Lock]:
    new = relation_name(node.relation)
    mode = ACCESS_EXCLUSIVE if node.HasField("partbound") else SHARE_UPDATE_EXCLUSIVE
    for item in node.inh_relations:
        yield Lock(relation_name(item.range_var), mode)
    yield from (lock for lock in referenced(node) if lock.relation != new)
    for item in node.table_elts:
        if item.WhichOneof("node") == "table_like_clause":
            yield Lock(relation_name(item.table_like_clause.relation), ACCESS_SHARE)


def _sequence(node: Node) -> Iterator[Lock]:
    if kind_of(node) == "AlterSeqStmt":
        yield Lock(relation_name(node.sequence), SHARE_ROW_EXCLUSIVE)
    owner = options(node.options).get("owned_by")
    name = strings(owner.items) if owner is not None else ()
    if len(name) > 1:  # else NONE
        yield Lock(name[:-1], ACCESS_SHARE)


def _trigger(node: Node) -> Iterator[Lock]:
    yield Lock(relation_name(node.relation), SHARE_ROW_EXCLUSIVE)
    if node.HasField("constrrel"):
        yield Lock(relation_name(node.constrrel), ACCESS_SHARE)


def _index(node: Node) -> Iterable[Lock]:
    return _on(SHARE_UPDATE_EXCLUSIVE if node.concurrent else SHARE)(node)


def _reindex(node: Node) -> Iterator[Lock]:
    if not node.HasField("relation"):
        return
    name, concurrently = relation_name(node.relation), _is_on(node.params, "concurrently")
    mode = SHARE_UPDATE_EXCLUSIVE if concurrently else SHARE
    if enum_name(node, "kind") == "REINDEX_OBJECT_INDEX":
        own = SHARE_UPDATE_EXCLUSIVE if concurrently else ACCESS_EXCLUSIVE
        yield Lock(name, own, table_mode=mode)
    else:
        yield Lock(name, mode)


def _vacuum(node: Node) -> Iterator[Lock]:
    mode = ACCESS_EXCLUSIVE if _is_on(node.options, "full") else SHARE_UPDATE_EXCLUSIVE
    for item in node.rels:
        yield Lock(relation_name(item.vacuum_relation.relation), mode)


def _refresh(node: Node) -> Iterable[Lock]:
    return _on(EXCLUSIVE if node.concurrent else ACCESS_EXCLUSIVE)(node)


def _publication(node: Node) -> Iterator[Lock]:
    for item in (item.publication_obj_spec for item in node.pubobjects):
        if item.HasField("pubtable"):
            yield Lock(relation_name(item.pubtable.relation), SHARE_UPDATE_EXCLUSIVE)


def _is_on(items: Iterable[Node], name: str) -> bool:
    """A boolean option in parentheses; one without a value is on (defGetBoolean)."""
    given = options(items)
    value = given.get(name)
    if value is None:
        return name in given
    if kind_of(value) == "String":
        return value.sval.lower() not in ("false", "off")
    return bool(getattr(value, "boolval", getattr(value, "ival", 1)))


HANDLERS: dict[str, Handler] = {
    "AlterObjectDependsStmt": _depends,
    "AlterObjectSchemaStmt": _where_given(ACCESS_EXCLUSIVE),
    "AlterPolicyStmt": _on_and_used(ACCESS_EXCLUSIVE, "table"),
    "AlterPublicationStmt": _publication,
    "AlterSeqStmt": _sequence,
    "AlterTableStmt": alter,
    "ClusterStmt": _where_given(ACCESS_EXCLUSIVE),
    "CommentStmt": _comment,
    "CopyStmt": _copy,
    "CreateForeignTableStmt": lambda node: _create(node.base_stmt),
    "CreateFunctionStmt": lambda node: used(node.sql_body),
    "CreatePolicyStmt": _on_and_used(ACCESS_EXCLUSIVE, "table"),
    "CreatePublicationStmt": _publication,
    "CreateSeqStmt": _sequence,
    "CreateStatsStmt": _all_of(SHARE_UPDATE_EXCLUSIVE),
    "CreateStmt": _create,
    "CreateTableAsStmt": used,
    "CreateTrigStmt": _trigger,
    "DeclareCursorStmt": used,
    "DeleteStmt": used,
    "DropStmt": _drop,
    "ExplainStmt": used,
    "IndexStmt": _index,
    "InsertStmt": used,
    "LockStmt": _lock,
    "MergeStmt": used,
    "PrepareStmt": used,
    "RefreshMatViewStmt": _refresh,
    "ReindexStmt": _reindex,
    "RenameStmt": _rename,
    "RuleStmt": _on_and_used(ACCESS_EXCLUSIVE),
    "SecLabelStmt": _comment,
    "SelectStmt": used,
    "TruncateStmt": _all_of(ACCESS_EXCLUSIVE),
    "UpdateStmt": used,
    "VacuumStmt": _vacuum,
    "ViewStmt": _view,
}
"""By kind of statement: the locks that its tree names, the same relation maybe more than once."""
