"""Which lock a statement takes on which relation, from its tree alone.

Source: PostgreSQL's Explicit Locking (13.3.1), each command's reference page, and for ALTER TABLE
AlterTableGetLockLevel in tablecmds.c. Only relations that the statement names: what hangs on them
(partitions, the tables at the other end of a foreign key) is the catalog's to say. Locks on
relations that the statement makes are left out, as nobody else can see them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from alembic_rollback.sql.build import enum_name, inner, kind_of, nodes, options, strings
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.parser import Node, Statement

MODES = (
    ACCESS_SHARE := "ACCESS SHARE",
    ROW_SHARE := "ROW SHARE",
    ROW_EXCLUSIVE := "ROW EXCLUSIVE",
    SHARE_UPDATE_EXCLUSIVE := "SHARE UPDATE EXCLUSIVE",
    SHARE := "SHARE",
    SHARE_ROW_EXCLUSIVE := "SHARE ROW EXCLUSIVE",
    EXCLUSIVE := "EXCLUSIVE",
    ACCESS_EXCLUSIVE := "ACCESS EXCLUSIVE",
)
"""The lock modes of tables, from the weakest to the strongest."""
_WAITS = {
    ACCESS_SHARE: {ACCESS_EXCLUSIVE},
    ROW_SHARE: {EXCLUSIVE, ACCESS_EXCLUSIVE},
    ROW_EXCLUSIVE: {SHARE, *MODES[5:]},
    SHARE_UPDATE_EXCLUSIVE: set(MODES[3:]),
    SHARE: {ROW_EXCLUSIVE, SHARE_UPDATE_EXCLUSIVE, *MODES[5:]},
    SHARE_ROW_EXCLUSIVE: set(MODES[2:]),
    EXCLUSIVE: set(MODES[1:]),
    ACCESS_EXCLUSIVE: set(MODES),
}


@dataclass(frozen=True)
class Lock:
    """A lock on one relation, held until the transaction ends."""

    relation: tuple[str, ...]
    """Schema (where it is written) and name."""
    mode: str
    """`ACCESS EXCLUSIVE`, as LOCK TABLE writes it."""
    table_mode: str = ""
    """Where the relation is an index, and its table is locked as well: how."""


def conflicting(mode: str) -> frozenset[str]:
    """The modes that wait for this one, and that it waits for (13.3.1, Conflicting Lock Modes)."""
    return frozenset(_WAITS[mode])


def strongest(modes: Iterable[str]) -> str:
    """The strongest of the modes."""
    return max(modes, key=MODES.index)


def locks(statement: Statement) -> tuple[Lock, ...]:
    """The strongest lock on each relation that the statement names; none where it isn't known."""
    handler = _HANDLERS.get(statement.kind)
    found: dict[tuple[str, ...], Lock] = {}
    for lock in handler(statement.node) if handler else ():
        other = found.setdefault(lock.relation, lock)
        if MODES.index(lock.mode) > MODES.index(other.mode):
            found[lock.relation] = lock
    return tuple(found.values())


# Queries: reading and writing rows

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


def _used(root: Node) -> Iterator[Lock]:
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


# Statements

Handler = Callable[[Node], Iterable[Lock]]


def _on(mode: str, field: str = "relation") -> Handler:
    """One mode on the relation in a field."""
    return lambda node: [Lock(relation_name(getattr(node, field)), mode)]


def _on_and_used(mode: str, field: str = "relation") -> Handler:
    """One mode on the relation in a field, and what its expressions and queries use."""

    def handler(node: Node) -> Iterator[Lock]:
        yield Lock(relation_name(getattr(node, field)), mode)
        yield from _used(node)

    return handler


def _copy(node: Node) -> Iterator[Lock]:
    if node.HasField("query"):
        yield from _used(node.query)
    else:
        yield Lock(relation_name(node.relation), ROW_EXCLUSIVE if node.is_from else ACCESS_SHARE)


def _view(node: Node) -> Iterator[Lock]:
    if node.replace:
        yield Lock(relation_name(node.view), ACCESS_EXCLUSIVE)
    yield from _used(node)


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
    yield from (lock for lock in _referenced(node) if lock.relation != new)
    for item in node.table_elts:
        if item.WhichOneof("node") == "table_like_clause":
            yield Lock(relation_name(item.table_like_clause.relation), ACCESS_SHARE)


def _referenced(tree: Node) -> Iterator[Lock]:
    """The tables that foreign keys in a tree point at."""
    for node in nodes(tree):
        if kind_of(node) == "Constraint" and node.HasField("pktable"):
            yield Lock(relation_name(node.pktable), SHARE_ROW_EXCLUSIVE)


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


# ALTER TABLE, and ALTER of views, sequences, indexes where it is the same statement

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


def _alter(node: Node) -> Iterator[Lock]:
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
        yield from _referenced(definition)


_HANDLERS: dict[str, Handler] = {
    "AlterObjectDependsStmt": _depends,
    "AlterObjectSchemaStmt": _where_given(ACCESS_EXCLUSIVE),
    "AlterPolicyStmt": _on_and_used(ACCESS_EXCLUSIVE, "table"),
    "AlterPublicationStmt": _publication,
    "AlterSeqStmt": _sequence,
    "AlterTableStmt": _alter,
    "ClusterStmt": _where_given(ACCESS_EXCLUSIVE),
    "CommentStmt": _comment,
    "CopyStmt": _copy,
    "CreateForeignTableStmt": lambda node: _create(node.base_stmt),
    "CreateFunctionStmt": lambda node: _used(node.sql_body),
    "CreatePolicyStmt": _on_and_used(ACCESS_EXCLUSIVE, "table"),
    "CreatePublicationStmt": _publication,
    "CreateSeqStmt": _sequence,
    "CreateStatsStmt": _all_of(SHARE_UPDATE_EXCLUSIVE),
    "CreateStmt": _create,
    "CreateTableAsStmt": _used,
    "CreateTrigStmt": _trigger,
    "DeclareCursorStmt": _used,
    "DeleteStmt": _used,
    "DropStmt": _drop,
    "ExplainStmt": _used,
    "IndexStmt": _index,
    "InsertStmt": _used,
    "LockStmt": _lock,
    "MergeStmt": _used,
    "PrepareStmt": _used,
    "RefreshMatViewStmt": _refresh,
    "ReindexStmt": _reindex,
    "RenameStmt": _rename,
    "RuleStmt": _on_and_used(ACCESS_EXCLUSIVE),
    "SecLabelStmt": _comment,
    "SelectStmt": _used,
    "TruncateStmt": _all_of(ACCESS_EXCLUSIVE),
    "UpdateStmt": _used,
    "VacuumStmt": _vacuum,
    "ViewStmt": _view,
}
