"""Inheritance and partitions: who has what from whom, and what leaving or joining changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from alembic_rollback.catalog.dependencies import PG_CLASS, PG_CONSTRAINT, PG_TRIGGER, Address
from alembic_rollback.checks.simulation.dropping import missing
from alembic_rollback.checks.simulation.registry import alters
from alembic_rollback.checks.simulation.world import Change, Failure, World
from alembic_rollback.sql.build import enum_name, inner, kind_of
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.names import quote_name

if TYPE_CHECKING:
    from alembic_rollback.catalog.objects import Found


def definition(command: Any) -> Any:
    """The node that a command keeps under `def`, a word that Python has for itself."""
    return inner(getattr(command, "def"))


@alters("AT_DetachPartition", "AT_DropInherit")
def leave(world: World, relation: Found, command: Any, change: Change) -> None:
    """DETACH PARTITION (of the parent), NO INHERIT (of the child)."""
    child, parent = _child_and_parent(world, relation, command, change)
    if child is None or parent is None:
        return
    detaching = enum_name(command, "subtype") == "AT_DetachPartition"
    if (child.address, detaching) not in world.children(parent.address):
        word = "a partition" if detaching else "a child"
        problem = f"{_name(child)} is not {word} of {_name(parent)}"
        if not world.uncertain:
            change.failures.append(Failure(problem))
        return
    change.changed.append(child.address)
    _cut(world, child.address, parent.address, change)
    world.children(parent.address).remove((child.address, detaching))
    _have_for_itself(world, child.address, parent.address, detaching)


def _cut(world: World, child: Address, parent: Address, change: Change) -> None:
    """What the child's parts need of the parent's; cloned triggers go."""
    world.graph.read(world.connection, [child, parent])
    above = with_parts(world, parent)
    for part in with_parts(world, child):
        cut = [
            edge
            for edge in world.graph.uses(part)
            if (edge.kind in "PS" and edge.referenced.whole in above)
            or (edge.dependent == child and edge.referenced == parent)
        ]
        attached = any(edge.kind in "PS" for edge in cut)
        for edge in world.graph.uses(part):
            if edge in cut or (attached and edge.kind in "PS"):
                world.graph.drop(edge)
        if cut and part.classid == PG_TRIGGER:
            world.drop_along(change, part, child)
        elif attached and part.classid in (PG_CLASS, PG_CONSTRAINT):
            change.along[part] = child


def _have_for_itself(world: World, child: Address, parent: Address, detaching: bool) -> None:
    for what in ("columns", "constraints"):
        if detaching:  # a partition has one parent only
            world.inherited(child, what).clear()
            continue
        for name in list(world.inherited(child, what)):
            if _has(world, parent, what, name):
                world.disinherit(child, what, name)


@alters("AT_AttachPartition", "AT_AddInherit")
def join(world: World, relation: Found, command: Any, change: Change) -> None:
    """ATTACH PARTITION (of the parent), INHERIT (of the child)."""
    child, parent = _child_and_parent(world, relation, command, change)
    if child is None or parent is None:
        return
    change.changed.append(child.address)
    partition = enum_name(command, "subtype") == "AT_AttachPartition"
    if parent.detail == "I":
        world.needs(child.address, parent.address, "P")
        for edge in world.graph.uses(child.address):
            if edge.kind == "a":
                world.needs(child.address, edge.referenced.whole, "S")
        return
    become_child(world, child.address, parent.address, partition=partition)
    for name in world.names.columns(parent.address):
        world.inherit(child.address, "columns", name, local=not partition)


def become_child(world: World, child: Address, parent: Address, *, partition: bool) -> None:
    """Let a table inherit from another one."""
    world.needs(child, parent, "a" if partition else "n")
    world.children(parent).append((child, partition))


def _child_and_parent(
    world: World, relation: Found, command: Any, change: Change
) -> tuple[Found | None, Found | None]:
    node = definition(command)
    partition = kind_of(node) == "PartitionCmd"
    if partition and relation.detail not in "pI":
        change.failures.append(Failure(f"{_name(relation)} is not partitioned"))
        return None, None
    name = relation_name(node.name if partition else node)
    other = world.relation(name)
    if other is None:
        missing(world, change, name)
        return None, None
    return (other, relation) if partition else (relation, other)


def _name(found: Found) -> str:
    return quote_name((found.schema, found.name))


def descendants(world: World, relation: Address) -> Iterator[Address]:
    """The tables that inherit from it, and those that inherit from them."""
    for child, _ in world.children(relation):
        if child not in world.names.gone:
            yield child
            yield from descendants(world, child)


def with_parts(world: World, table: Address) -> set[Address]:
    """A table with its indexes, constraints and triggers."""
    found, waiting = {table}, [table]
    while waiting:
        for edge in world.graph.users(waiting.pop()):
            if edge.kind in "ai" and edge.dependent.whole not in found:
                # A partition hangs on its parent in the same way.
                if (edge.dependent.whole, True) in world.children(table):
                    continue
                found.add(edge.dependent.whole)
                waiting.append(edge.dependent.whole)
    return found


def heirs(world: World, relation: Address, name: str, what: str) -> Iterator[Address]:
    """Tables below that have a column or constraint from here."""
    for child, _ in world.children(relation):
        if child not in world.names.gone and name in world.inherited(child, what):
            yield child
            yield from heirs(world, child, name, what)


def taken_from(world: World, relation: Address, name: str, what: str) -> Iterator[Address]:
    """Tables below that lose a column or constraint with this one; the others keep their own."""
    for child, _ in world.children(relation):
        count, local = world.inherited(child, what).get(name, (0, True))
        if count == 1 and not local and child not in world.names.gone:
            yield child
            yield from taken_from(world, child, name, what)


def let_go(world: World, relation: Address, name: str, what: str) -> None:
    """After a column or constraint has gone: those below that keep it have it from one less."""
    for child, _ in world.children(relation):
        if child not in world.names.gone:
            if not _has(world, child, what, name):
                let_go(world, child, name, what)
            world.disinherit(child, what, name)


def _has(world: World, table: Address, what: str, name: str) -> bool:
    if what == "columns":
        return name in world.names.columns(table)
    return world.names.part("constraint", table, name) is not None
