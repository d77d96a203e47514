"""Constraints of tables: ADD, DROP, RENAME."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from alembic_rollback.catalog import objects
from alembic_rollback.catalog.dependencies import PG_CLASS, Address
from alembic_rollback.checks.simulation.dropping import is_cascade, missing
from alembic_rollback.checks.simulation.inheriting import (
    definition,
    descendants,
    heirs,
    let_go,
    taken_from,
)
from alembic_rollback.checks.simulation.registry import alters
from alembic_rollback.checks.simulation.world import Change, Failure, World
from alembic_rollback.sql.build import enum_name, kind_of, nodes, strings
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.names import quote_name

if TYPE_CHECKING:
    from alembic_rollback.catalog.objects import Found

_LABELS = {
    "CONSTR_CHECK": "check",
    "CONSTR_EXCLUSION": "excl",
    "CONSTR_FOREIGN": "fkey",
    "CONSTR_NOTNULL": "not_null",
    "CONSTR_PRIMARY": "pkey",
    "CONSTR_UNIQUE": "key",
}
"""With what PostgreSQL ends the name of an unnamed constraint."""
_INDEXED = ("CONSTR_EXCLUSION", "CONSTR_PRIMARY", "CONSTR_UNIQUE")


@alters("AT_DropConstraint")
def drop_constraint(world: World, relation: Found, command: Any, change: Change) -> None:
    """The constraint, and where it was inherited from here alone."""
    found = world.names.part("constraint", relation.address, command.name)
    if found is None:
        known = relation.address not in world.vague and not world.uncertain
        if known and not command.missing_ok:
            shown = f"constraint {quote_name((command.name,))} on {quote_name((relation.name,))}"
            change.failures.append(Failure(f"there is no {shown}"))
        return
    if command.name in world.inherited(relation.address, "constraints"):
        change.failures.append(Failure("{} is inherited", (found,)))
        return
    below = taken_from(world, relation.address, command.name, "constraints")
    parts = [world.names.part("constraint", heir, command.name) for heir in below]
    if world.drop(change, [found, *filter(None, parts)], cascade=is_cascade(command)):
        let_go(world, relation.address, command.name, "constraints")


@alters("AT_AddConstraint")
def add_table_constraint(world: World, relation: Found, command: Any, change: Change) -> None:
    """A new constraint of the table."""
    change.changed.append(relation.address)
    add_constraint(world, relation, definition(command), change)


def add_constraint(
    world: World, relation: Found, constraint: Any, change: Change, column: str = ""
) -> None:
    """A Constraint node. column: the one that it is written with."""
    kind = enum_name(constraint, "contype")
    if kind not in _LABELS:
        return
    columns = _columns(kind, constraint, column)
    name = constraint.conname or constraint.indexname
    if not name:
        including = strings(constraint.including)
        name = _default_name(world, relation, kind, [*columns, *including])
    elif world.names.part("constraint", relation.address, name) and not world.uncertain:
        shown = f"constraint {quote_name((name,))} on {quote_name((relation.name,))}"
        change.failures.append(Failure(f"there is a {shown} already"))
        return
    if not _are_there(world, relation, columns, change):
        return
    address = world.make_part("constraint", relation, name)
    for each in columns:
        world.needs(address, world.names.column(relation.address, each), "a")
    if kind == "CONSTR_FOREIGN":
        _refer(world, address, constraint, change)
        _give_partitions(world, relation, address, name, change)
    elif kind in _INDEXED:
        _index(world, relation, address, name, constraint, change)
    elif kind == "CONSTR_CHECK" and not constraint.is_no_inherit:
        _hand_down(world, relation, name, change)


def _are_there(world: World, table: Found, columns: Iterable[str], change: Change) -> bool:
    """Whether the table has the columns; else the statement fails."""
    if world.uncertain or table.address in world.vague:
        return True
    known = (*world.names.columns(table.address), "ctid", "tableoid", table.name)
    lacking = [name for name in columns if name not in known]
    if lacking:
        shown = quote_name((table.name, lacking[0]))
        change.failures.append(Failure(f"there is no column {shown}"))
    return not lacking


def _columns(kind: str, constraint: Any, column: str) -> list[str]:
    if kind == "CONSTR_CHECK":
        named = [
            node.fields[-1].string.sval
            for node in nodes(constraint.raw_expr)
            if kind_of(node) == "ColumnRef" and node.fields[-1].WhichOneof("node") == "string"
        ]
        return list(dict.fromkeys(named))
    if kind == "CONSTR_EXCLUSION":
        elements = (item.list.items[0].index_elem for item in constraint.exclusions)
        return [element.name for element in elements if element.name]
    listed = constraint.fk_attrs if kind == "CONSTR_FOREIGN" else constraint.keys
    return list(strings(listed)) or ([column] if column else [])


def _default_name(world: World, relation: Found, kind: str, columns: list[str]) -> str:
    from alembic_rollback.sql.naming import choose, index_addition

    addition = index_addition(columns)
    if kind == "CONSTR_PRIMARY" or (kind == "CONSTR_CHECK" and len(columns) != 1):
        addition = ""
    taken: set[str] = set()
    while True:
        name = choose(relation.name, addition, _LABELS[kind], taken)
        there = world.names.part("constraint", relation.address, name)
        if not there and not (kind in _INDEXED and world.relation((relation.schema, name))):
            return name
        taken.add(name)


def _index(
    world: World, relation: Found, address: Address, name: str, constraint: Any, change: Change
) -> None:
    """A key stands on an index of its name, a new one or the one that it is made from."""
    if constraint.indexname:
        index = world.relation((relation.schema, constraint.indexname))
        if index is None:
            missing(world, change, (relation.schema, constraint.indexname))
            return
        world.graph.read(world.connection, [index.address])
        if index.name != name:
            world.move("relation", index, name=name)
        change.changed.append(index.address)
    elif world.relation((relation.schema, name)) and not world.uncertain:
        shown = quote_name((relation.schema, name))
        change.failures.append(Failure(f"there is a relation {shown} already"))
        return
    else:
        index = world.make("relation", (relation.schema, name), "i")
    world.needs(index.address, address, "i")


def _hand_down(world: World, relation: Found, name: str, change: Change) -> None:
    """A CHECK is one of the tables below, too."""
    for child in dict.fromkeys(descendants(world, relation.address)):
        known = world.names.part("constraint", child, name) is not None
        if not known:
            address = world.names.new_address(objects.PART_CLASSES["constraint"])
            world.names.set_part("constraint", child, name, address)
            world.needs(address, child, "a")
        world.inherit(child, "constraints", name, local=known)
        change.along[child] = relation.address


def _give_partitions(
    world: World, relation: Found, above: Address, name: str, change: Change
) -> None:
    """A foreign key of a partitioned table is one of each partition, too."""
    if relation.detail != "p":
        return
    for child in dict.fromkeys(descendants(world, relation.address)):
        if world.names.part("constraint", child, name) is None:
            made = world.names.new_address(objects.PART_CLASSES["constraint"])
            world.names.set_part("constraint", child, name, made)
            world.needs(made, child, "a")
            world.needs(made, above, "P")
            world.needs(made, child, "S")
        change.along[child] = relation.address


def _refer(world: World, address: Address, constraint: Any, change: Change) -> None:
    """A foreign key needs the columns that it points at, and the key which they are."""
    name = relation_name(constraint.pktable)
    target = world.relation(name)
    if target is None:
        missing(world, change, name)
        return
    world.needs(address, target.address)
    if not _are_there(world, target, strings(constraint.pk_attrs), change):
        return
    columns = [world.names.column(target.address, one) for one in strings(constraint.pk_attrs)]
    for column in columns:
        world.needs(address, column)
    if not columns or None in columns or target.address in world.vague:
        return
    numbers = frozenset(column.objsubid for column in columns if column)
    made = target.address.objid < 0
    index = None if made else objects.keys_of(world.connection, target.address).get(numbers)
    if index and index not in world.names.gone:
        world.needs(address, index)
    elif not world.uncertain and not _has_new_index(world, target.address):
        shown = ", ".join(quote_name((one,)) for one in strings(constraint.pk_attrs))
        problem = f"there is no key ({shown}) of {quote_name((target.name,))}"
        change.failures.append(Failure(problem))


def _has_new_index(world: World, table: Address) -> bool:
    found = [edge.dependent for edge in world.graph.users(table)]
    found += [edge.dependent for one in found for edge in world.graph.users(one)]
    return any(one.classid == PG_CLASS and one.objid < 0 for one in found)


def rename_constraint(world: World, relation: Found, node: Any, change: Change) -> None:
    """RENAME CONSTRAINT: the index of a key has its name; below it is renamed, too."""
    part = world.names.part("constraint", relation.address, node.subname)
    if part is None:
        if relation.address not in world.vague and not world.uncertain:
            shown = f"constraint {quote_name((node.subname,))} on {quote_name((relation.name,))}"
            change.failures.append(Failure(f"there is no {shown}"))
        return
    recursive = part.objid < 0 or objects.is_handed_down(world.connection, part)
    if recursive and node.subname in world.inherited(relation.address, "constraints"):
        change.failures.append(Failure("{} is inherited", (part,)))
        return
    if world.names.part("constraint", relation.address, node.newname) and not world.uncertain:
        shown = f"constraint {quote_name((node.newname,))} on {quote_name((relation.name,))}"
        change.failures.append(Failure(f"there is a {shown} already"))
        return
    change.changed.append(part)
    below = _below(world, relation, node.subname) if recursive else ()
    for table, one in [(relation.address, part), *below]:
        world.names.set_part("constraint", table, node.subname, None)
        world.names.set_part("constraint", table, node.newname, one)
        inherited = world.inherited(table, "constraints")
        if node.subname in inherited:
            inherited[node.newname] = inherited.pop(node.subname)
        if one != part:
            change.along[one] = part
    _rename_index(world, relation, part, node, change)


def _below(world: World, relation: Found, name: str) -> Iterator[tuple[Address, Address]]:
    for heir in heirs(world, relation.address, name, "constraints"):
        part = world.names.part("constraint", heir, name)
        if part:
            yield heir, part


def _rename_index(world: World, relation: Found, part: Address, node: Any, change: Change) -> None:
    world.graph.read(world.connection, [part])
    index = world.relation((relation.schema, node.subname))
    if index and any(
        e.kind == "i" and e.dependent == index.address for e in world.graph.users(part)
    ):
        world.move("relation", index, name=node.newname)
        change.along[index.address] = part
