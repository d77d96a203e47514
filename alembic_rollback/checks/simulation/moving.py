"""RENAME, SET SCHEMA, and every ALTER that only changes what is there."""

from __future__ import annotations

from typing import Any

from alembic_rollback.catalog.dependencies import (
    PG_CLASS,
    PG_NAMESPACE,
    PG_PUBLICATION_REL,
    Address,
)
from alembic_rollback.catalog.objects import Found, describe
from alembic_rollback.checks.simulation.altering import with_parts
from alembic_rollback.checks.simulation.dropping import is_cascade, missing, name_of, routines
from alembic_rollback.checks.simulation.registry import follows
from alembic_rollback.checks.simulation.world import Change, Failure, World
from alembic_rollback.sql.build import enum_name, inner, kind_of, split_name, strings
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.names import quote_name

_RELATIONS = ("FOREIGN_TABLE", "INDEX", "MATVIEW", "SEQUENCE", "TABLE", "VIEW")
_PARTS = {
    "POLICY": "policy",
    "RULE": "rule",
    "TABCONSTRAINT": "constraint",
    "TRIGGER": "trigger",
}
_ROUTINES = ("AGGREGATE", "FUNCTION", "PROCEDURE", "ROUTINE")
_NAMED = {
    "COLLATION": "collation",
    "DOMAIN": "type",
    "EVENT_TRIGGER": "event trigger",
    "EXTENSION": "extension",
    "PUBLICATION": "publication",
    "SCHEMA": "schema",
    "STATISTIC_EXT": "statistics",
    "TYPE": "type",
}


@follows("RenameStmt")
def rename(world: World, node: Any, change: Change) -> None:
    """Give an object, a column or a part of a table another name."""
    what = enum_name(node, "rename_type").removeprefix("OBJECT_")
    if node.HasField("relation"):
        _rename_in_relation(world, node, what, change)
        return
    if what in _NAMED:
        space, name = _NAMED[what], name_of(inner(node.object))
        found = world.names.find(space, name)
        if found:
            world.names.move(space, found, name=node.newname)
            change.changed.append(found.address)
        elif not node.missing_ok and not world.uncertain:
            change.failures.append(Failure(f"there is no {space} {quote_name(name)}"))
    elif what in _ROUTINES:
        for address in routines(world, inner(node.object)):
            for found in world.names.all("routine", name_of(inner(node.object))):
                if found.address == address:
                    world.names.move("routine", found, name=node.newname)
                    change.changed.append(address)


def _rename_in_relation(world: World, node: Any, what: str, change: Change) -> None:
    relation = world.relation(relation_name(node.relation))
    if relation is None:
        if not node.missing_ok:
            missing(world, change, relation_name(node.relation))
        return
    change.changed.append(relation.address)
    if what in ("COLUMN", "ATTRIBUTE"):
        _rename_column(world, relation, node, change)
    elif what in _PARTS:
        part = world.names.part(_PARTS[what], relation.address, node.subname)
        if part:
            world.names.set_part(_PARTS[what], relation.address, node.subname, None)
            world.names.set_part(_PARTS[what], relation.address, node.newname, part)
            change.changed[-1] = part
    elif what in _RELATIONS:
        world.names.move("relation", relation, name=node.newname)


def _rename_column(world: World, relation: Found, node: Any, change: Change) -> None:
    columns = world.names.columns(relation.address)
    if node.subname not in columns:
        shown = quote_name((relation.name, node.subname))
        if not world.uncertain:
            change.failures.append(Failure(f"there is no column {shown}"))
        return
    columns[node.newname] = columns.pop(node.subname)
    for child, _ in world.children(relation.address):
        below = world.names.columns(child)
        if node.subname in below:
            below[node.newname] = below.pop(node.subname)


@follows("AlterObjectSchemaStmt")
def set_schema(world: World, node: Any, change: Change) -> None:
    """Move an object to another schema; a table takes its indexes and sequences along."""
    what = enum_name(node, "object_type").removeprefix("OBJECT_")
    if node.HasField("relation"):
        space, name = "relation", relation_name(node.relation)
    elif what in _NAMED:
        space, name = _NAMED[what], name_of(inner(node.object))
    else:
        return
    found = world.names.find(space, name)
    target = world.names.find("schema", (node.newschema,))
    if found is None or target is None:
        if not node.missing_ok and not world.uncertain:
            change.failures.append(Failure(f"there is no {quote_name(name)} to move"))
        return
    change.changed.append(found.address)
    _move_to(world, space, found, target)
    if space == "relation":
        world.graph.read(world.connection, [found.address])
        for part in with_parts(world, found.address) - {found.address}:
            if part.classid == PG_CLASS and _move_along(world, part, found.schema, target):
                change.along[part] = found.address


def _move_to(world: World, space: str, found: Found, target: Found) -> None:
    world.needs_no_more(found.address, PG_NAMESPACE)
    world.needs(found.address, target.address)
    world.names.move(space, found, schema=target.name)


def _move_along(world: World, address: Address, schema: str, target: Found) -> bool:
    """Indexes and owned sequences move with their table; partitions and heirs stay."""
    known = describe(world.connection, [address]).get(address) if address.objid > 0 else None
    if known is None or known.kind not in ("index", "sequence"):
        return False
    for name in _last_part(known.identity):
        found = world.relation((schema, name))
        if found and found.address == address:
            _move_to(world, "relation", found, target)
            return True
    return False


def _last_part(identity: str) -> tuple[str, ...]:
    name = split_name(identity)
    return name[-1:] if name else ()


@follows("AlterPublicationStmt")
def alter_publication(world: World, node: Any, change: Change) -> None:
    """DROP TABLE of a publication."""
    found = world.names.find("publication", (node.pubname,))
    if found is None:
        return
    if enum_name(node, "action") != "AP_DropObjects":
        change.changed.append(found.address)
        return
    world.graph.read(world.connection, [found.address])
    members = [
        edge.dependent
        for edge in world.graph.users(found.address)
        if edge.dependent.classid == PG_PUBLICATION_REL
    ]
    for item in node.pubobjects:
        table = world.relation(relation_name(item.publication_obj_spec.pubtable.relation))
        for member in members:
            uses = {edge.referenced.whole for edge in world.graph.uses(member)}
            if table and table.address in uses:
                world.drop(change, [member], cascade=False)


@follows("AlterDomainStmt")
def alter_domain(world: World, node: Any, change: Change) -> None:
    """A domain's constraint may go."""
    found = world.names.find("type", strings(node.type_name))
    if found is None:
        return
    change.changed.append(found.address)
    if node.subtype == "X":
        part = world.names.part("domain constraint", found.address, node.name)
        if part:
            world.drop(change, [part], cascade=is_cascade(node))


@follows("AlterEnumStmt", "AlterTypeStmt")
def alter_type(world: World, node: Any, change: Change) -> None:
    """ADD VALUE, RENAME VALUE, SET (…)."""
    found = world.names.find("type", strings(node.type_name))
    if found:
        change.changed.append(found.address)


@follows("AlterFunctionStmt")
def alter_function(world: World, node: Any, change: Change) -> None:
    """A function's properties."""
    change.changed += routines(world, node.func)


@follows("AlterPolicyStmt")
def alter_policy(world: World, node: Any, change: Change) -> None:
    """A policy's expressions or roles."""
    owner = world.relation(relation_name(node.table))
    part = world.names.part("policy", owner.address, node.policy_name) if owner else None
    if part:
        change.changed.append(part)


@follows("AlterOwnerStmt", "CommentStmt", "AlterObjectDependsStmt")
def change_named(world: World, node: Any, change: Change) -> None:
    """Owner, comment: what is named by list, string or type name."""
    what = enum_name(node, "objtype" if kind_of(node) == "CommentStmt" else "object_type")
    what = what.removeprefix("OBJECT_")
    item = inner(node.object)
    if node.DESCRIPTOR.fields_by_name.get("relation") and node.HasField("relation"):
        found = world.relation(relation_name(node.relation))
    elif item is None or what in _ROUTINES:
        return
    elif what in _RELATIONS:
        found = world.relation(name_of(item))
    elif what == "COLUMN":
        found = world.relation(name_of(item)[:-1])
    elif what in _NAMED:
        found = world.names.find(_NAMED[what], name_of(item))
    else:
        return
    if found:
        change.changed.append(found.address)
