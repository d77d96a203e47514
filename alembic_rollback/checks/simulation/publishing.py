"""Publications: which tables are in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from alembic_rollback.catalog.dependencies import PG_PUBLICATION_REL, Address
from alembic_rollback.checks.simulation.dropping import missing
from alembic_rollback.checks.simulation.inheriting import descendants
from alembic_rollback.checks.simulation.registry import follows
from alembic_rollback.checks.simulation.world import Change, Failure, World
from alembic_rollback.sql.build import enum_name
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.names import quote_name

if TYPE_CHECKING:
    from alembic_rollback.catalog.objects import Found


@follows("CreatePublicationStmt")
def create_publication(world: World, node: Any, change: Change) -> None:
    """A publication with its tables."""
    if world.names.find("publication", (node.pubname,)):
        if not world.uncertain:
            shown = quote_name((node.pubname,))
            change.failures.append(Failure(f"there is a publication {shown} already"))
        return
    tables = list(_tables(world, node, change))
    if not change.failures:
        made = world.make("publication", (node.pubname,))
        for table in tables:
            _add(world, made, table)


@follows("AlterPublicationStmt")
def alter_publication(world: World, node: Any, change: Change) -> None:
    """ADD, SET or DROP some of a publication's tables; its options."""
    found = world.names.find("publication", (node.pubname,))
    if found is None:
        missing(world, change, (node.pubname,))
        return
    world.graph.read(world.connection, [found.address])
    tables = list(dict.fromkeys(_tables(world, node, change)))
    action = enum_name(node, "action")
    if change.failures:
        return
    members = _members(world, found)
    if not node.pubobjects or action != "AP_DropObjects":
        change.changed.append(found.address)
    for table in tables:
        if action != "AP_DropObjects":
            _add(world, found, table)
        elif table in members:
            world.drop(change, [members[table]], cascade=False)
        elif not world.uncertain:
            change.failures.append(Failure("{} is not in it", (table,)))
    if action == "AP_SetObjects":
        for table in members.keys() - set(tables):
            world.drop(change, [members[table]], cascade=False)


def _tables(world: World, node: Any, change: Change) -> Iterator[Address]:
    """The tables that are named, each with those that inherit from it."""
    for item in node.pubobjects:
        spec = item.publication_obj_spec
        if not spec.HasField("pubtable"):
            continue
        relation = spec.pubtable.relation
        table = world.relation(relation_name(relation))
        if table is None:
            missing(world, change, relation_name(relation))
            continue
        yield table.address
        if relation.inh and table.detail != "p":
            yield from descendants(world, table.address)


def _members(world: World, publication: Found) -> dict[Address, Address]:
    """By table: what makes it a part of the publication."""
    return {
        used.referenced.whole: edge.dependent
        for edge in world.graph.users(publication.address)
        if edge.dependent.classid == PG_PUBLICATION_REL
        for used in world.graph.uses(edge.dependent)
        if used.referenced.whole != publication.address
    }


def _add(world: World, publication: Found, table: Address) -> None:
    if table not in _members(world, publication):
        made = world.names.new_address(PG_PUBLICATION_REL)
        world.needs(made, publication.address, "a")
        world.needs(made, table, "a")
