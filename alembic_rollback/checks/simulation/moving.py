"""RENAME, SET SCHEMA, and every ALTER that only changes what is there."""

from __future__ import annotations

from typing import Any

from alembic_rollback.catalog.dependencies import PG_CLASS, PG_CONSTRAINT, PG_NAMESPACE, Address
from alembic_rollback.catalog.objects import Found, describe
from alembic_rollback.checks.simulation.constraining import rename_constraint
from alembic_rollback.checks.simulation.dropping import (
    ROUTINES,
    SPACES,
    is_cascade,
    missing,
    name_of,
    routines,
)
from alembic_rollback.checks.simulation.inheriting import heirs, with_parts
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
_NAMED = {what: SPACES[what] for what in SPACES.keys() - {"ACCESS_METHOD", "LANGUAGE"}}


@follows("RenameStmt")
def rename(world: World, node: Any, change: Change) -> None:
    """Give an object, a column or a part of a table another name."""
    what = enum_name(node, "rename_type").removeprefix("OBJECT_")
    if node.HasField("relation"):
        _rename_in_relation(world, node, what, change)
    elif what == "DOMCONSTRAINT":
        _rename_domain_constraint(world, node, change)
    elif what in _NAMED:
        _rename_named(world, node, _NAMED[what], change)
    elif what in ROUTINES:
        _rename_routine(world, node, change)


def _rename_named(world: World, node: Any, space: str, change: Change) -> None:
    name = name_of(inner(node.object)) or (node.subname,)
    found = world.names.find(space, name)
    if found is None:
        if not node.missing_ok and not world.uncertain:
            change.failures.append(Failure(f"there is no {space} {quote_name(name)}"))
    elif _is_free(world, space, (found.schema, node.newname), change):
        world.move(space, found, name=node.newname)
        change.changed.append(found.address)
        _rename_composite(world, space, found, node.newname)


def _rename_routine(world: World, node: Any, change: Change) -> None:
    item = inner(node.object)
    wanted = routines(world, item)
    for found in world.names.all("routine", name_of(item)):
        if found.address in wanted:
            world.move("routine", found, name=node.newname)
            change.changed.append(found.address)
    if not wanted and not node.missing_ok:
        missing(world, change, name_of(item))


def _is_free(world: World, space: str, name: tuple[str, ...], change: Change) -> bool:
    """Whether nothing else has the new name; else the statement fails."""
    if world.uncertain or world.names.find(space, name) is None:
        return True
    shown = quote_name(tuple(part for part in name if part))
    change.failures.append(Failure(f"there is a {space} {shown} already"))
    return False


def _rename_composite(world: World, space: str, found: Found, new: str) -> None:
    """Behind a composite type there is a relation of its name."""
    relation = world.relation((found.schema, found.name)) if space == "type" else None
    if relation and relation.detail == "c":
        world.move("relation", relation, name=new)


def _rename_domain_constraint(world: World, node: Any, change: Change) -> None:
    found = world.names.find("type", name_of(inner(node.object)))
    if found is None:
        missing(world, change, name_of(inner(node.object)))
        return
    part = world.names.part("domain constraint", found.address, node.subname)
    if part:
        world.names.set_part("domain constraint", found.address, node.subname, None)
        world.names.set_part("domain constraint", found.address, node.newname, part)
        change.changed.append(part)
    elif not world.uncertain and found.address not in world.vague:
        shown = f"constraint {quote_name((node.subname,))} of {quote_name((found.name,))}"
        change.failures.append(Failure(f"there is no {shown}"))


def _rename_in_relation(world: World, node: Any, what: str, change: Change) -> None:
    relation = world.relation(relation_name(node.relation))
    if relation is None:
        if not node.missing_ok:
            missing(world, change, relation_name(node.relation))
    elif what in ("COLUMN", "ATTRIBUTE"):
        _rename_column(world, relation, node, change)
    elif what == "TABCONSTRAINT":
        rename_constraint(world, relation, node, change)
    elif what in _PARTS:
        _rename_part(world, relation, _PARTS[what], node, change)
    elif what in _RELATIONS:
        _rename_relation(world, relation, node.newname, change)


def _rename_relation(world: World, relation: Found, new: str, change: Change) -> None:
    """A row type and the constraint of an index are renamed with it."""
    if not _is_free(world, "relation", (relation.schema, new), change):
        return
    world.move("relation", relation, name=new)
    change.changed.append(relation.address)
    if relation.detail in "iI":
        world.graph.read(world.connection, [relation.address])
        for edge in world.graph.uses(relation.address):
            if edge.kind == "i" and edge.referenced.classid == PG_CONSTRAINT:
                _rename_key(world, edge.referenced, relation, new, change)
        return
    row_type = world.names.find("type", (relation.schema, relation.name))
    if row_type and row_type.detail == "c":
        world.move("type", row_type, name=new)


def _rename_key(world: World, constraint: Address, index: Found, new: str, change: Change) -> None:
    tables = {e.referenced.whole for e in world.graph.uses(constraint)}
    for table in tables:
        if world.names.part("constraint", table, index.name) == constraint:
            world.names.set_part("constraint", table, index.name, None)
            world.names.set_part("constraint", table, new, constraint)
            change.along[constraint] = index.address


def _rename_part(world: World, relation: Found, space: str, node: Any, change: Change) -> None:
    part = world.names.part(space, relation.address, node.subname)
    if part:
        world.names.set_part(space, relation.address, node.subname, None)
        world.names.set_part(space, relation.address, node.newname, part)
        change.changed.append(part)
    elif not world.uncertain and relation.address not in world.vague:
        shown = f"{space} {quote_name((node.subname,))} on {quote_name((relation.name,))}"
        change.failures.append(Failure(f"there is no {shown}"))


def _rename_column(world: World, relation: Found, node: Any, change: Change) -> None:
    columns = world.names.columns(relation.address)
    if node.subname not in columns:
        shown = quote_name((relation.name, node.subname))
        if not world.uncertain and relation.address not in world.vague:
            change.failures.append(Failure(f"there is no column {shown}"))
        return
    column = world.names.column(relation.address, node.subname)
    if node.subname in world.inherited(relation.address, "columns"):
        change.failures.append(Failure("{} is inherited", (column,) if column else ()))
        return
    below = list(dict.fromkeys(heirs(world, relation.address, node.subname, "columns")))
    change.changed.append(relation.address)
    for table in (relation.address, *below):
        here = world.names.columns(table)
        here[node.newname] = here.pop(node.subname)
        inherited = world.inherited(table, "columns")
        if node.subname in inherited:
            inherited[node.newname] = inherited.pop(node.subname)
        if table != relation.address:
            change.along[table] = relation.address


@follows("AlterObjectSchemaStmt")
def set_schema(world: World, node: Any, change: Change) -> None:
    """Move an object to another schema; a table takes its indexes and sequences along."""
    what = enum_name(node, "object_type").removeprefix("OBJECT_")
    target = world.names.find("schema", (node.newschema,))
    if node.HasField("relation"):
        space, name = "relation", relation_name(node.relation)
        every = [world.relation(name)]
    elif what in ROUTINES:
        space, name = "routine", name_of(inner(node.object))
        wanted = routines(world, inner(node.object))
        every = [one for one in world.names.all(space, name) if one.address in wanted]
    elif what in _NAMED:
        space, name = _NAMED[what], name_of(inner(node.object))
        every = [world.names.find(space, name)]
    else:
        return
    if target is None:
        if not world.uncertain and (any(every) or not node.missing_ok):
            shown = quote_name((node.newschema,))
            change.failures.append(Failure(f"there is no schema {shown}"))
        return
    if not any(every) and not node.missing_ok and not world.uncertain:
        change.failures.append(Failure(f"there is no {quote_name(name)} to move"))
    for found in filter(None, every):
        _set_schema(world, space, found, target, change)


def _set_schema(world: World, space: str, found: Found, target: Found, change: Change) -> None:
    if found.schema == target.name:
        return
    if space != "routine" and not _is_free(world, space, (target.name, found.name), change):
        return
    change.changed.append(found.address)
    _move_to(world, space, found, target)
    if space == "type":
        relation = world.relation((found.schema, found.name))
        if relation and relation.detail == "c":
            _move_to(world, "relation", relation, target)
    if space == "relation":
        row_type = world.names.find("type", (found.schema, found.name))
        if row_type and row_type.detail == "c":
            world.move("type", row_type, schema=target.name)
        world.graph.read(world.connection, [found.address])
        for part in with_parts(world, found.address) - {found.address}:
            if part.classid == PG_CLASS and _move_along(world, part, found.schema, target):
                change.along[part] = found.address


def _move_to(world: World, space: str, found: Found, target: Found) -> None:
    world.needs_no_more(found.address, PG_NAMESPACE)
    if found.schema:
        world.place(found.address, target.address)
        world.move(space, found, schema=target.name)


def _move_along(world: World, address: Address, schema: str, target: Found) -> bool:
    """Indexes and owned sequences move with their table; partitions and heirs stay."""
    found = world.names.named(address, schema)
    if found is None and address.objid > 0:
        known = describe(world.connection, [address]).get(address)
        name = split_name(known.identity) if known else None
        found = world.relation((schema, name[-1])) if name else None
    if found is None or found.address != address or found.detail not in "iIS":
        return False
    _move_to(world, "relation", found, target)
    return True


@follows("AlterDomainStmt")
def alter_domain(world: World, node: Any, change: Change) -> None:
    """A domain's constraint may go."""
    found = world.names.find("type", strings(node.type_name))
    if found is None:
        missing(world, change, strings(node.type_name))
        return
    if node.subtype != "X":
        change.changed.append(found.address)
    if node.subtype == "C":
        constraint = inner(getattr(node, "def"))
        constrain_domain(world, found, constraint)
    elif node.subtype == "X":
        part = world.names.part("domain constraint", found.address, node.name)
        if part:
            world.drop(change, [part], cascade=is_cascade(node))
        elif not (node.missing_ok or world.uncertain or found.address in world.vague):
            shown = f"constraint {quote_name((node.name,))} of {quote_name((found.name,))}"
            change.failures.append(Failure(f"there is no {shown}"))


def constrain_domain(world: World, domain: Found, constraint: Any) -> None:
    """A constraint of a domain; what PostgreSQL calls an unnamed one is not followed."""
    if not constraint.conname:
        world.vague.add(domain.address)
        return
    made = world.names.new_address(PG_CONSTRAINT)
    world.names.set_part("domain constraint", domain.address, constraint.conname, made)
    world.needs(made, domain.address, "a")


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
    address = _named(world, node, what.removeprefix("OBJECT_"))
    if address:
        change.changed.append(address)


def _named(world: World, node: Any, what: str) -> Address | None:
    item = inner(node.object)
    name = name_of(item)
    if node.DESCRIPTOR.fields_by_name.get("relation") and node.HasField("relation"):
        found = world.relation(relation_name(node.relation))
    elif what in ROUTINES:
        return next(iter(routines(world, item)), None)
    elif what in _PARTS:
        owner = world.relation(name[:-1])
        return world.names.part(_PARTS[what], owner.address, name[-1]) if owner else None
    elif what in _RELATIONS or what == "COLUMN":
        found = world.relation(name[:-1] if what == "COLUMN" else name)
    elif what in _NAMED:
        found = world.names.find(_NAMED[what], name)
    else:
        return None
    return found.address if found else None
