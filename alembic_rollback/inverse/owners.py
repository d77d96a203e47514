"""OWNER TO: the owner before is not in the text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from alembic_rollback.inverse.registry import Missing, Part, Step, Undo, alters, inverts
from alembic_rollback.inverse.targets import target
from alembic_rollback.sql.build import enum_name, roles_text

if TYPE_CHECKING:
    from alembic_rollback.inverse.altering import Alteration
    from alembic_rollback.inverse.world import Thing, World


@alters("AT_ChangeOwner")
def change_owner(alter: Alteration) -> Iterator[Part]:
    """ALTER TABLE … OWNER TO."""
    thing, role = alter.table, alter.command.newowner
    if thing.new and younger_role(alter.world, role, thing):
        yield alter.opposite("OWNER TO CURRENT_USER")
        return
    yield from alter.lost(thing, f"the owner of {alter.shown} before")


@inverts("AlterOwnerStmt")
def alter_owner(step: Step) -> Iterator[Part]:
    """ALTER x … OWNER TO."""
    node = step.node
    found = target(step.world, enum_name(node, "object_type"), node.object)
    if found is None:
        yield Missing("the owner before")
    elif found.thing.new and younger_role(step.world, node.newowner, found.thing):
        yield Undo(f"ALTER {found.words} {found.text} OWNER TO CURRENT_USER", found.thing)
    else:
        yield from step.lost(found.thing, f"the owner of {found.shown} before")


def younger_role(world: World, role: Any, thing: Thing) -> bool:
    """Whether the file made the role later: it is dropped before the thing, and must be free."""
    found = world.find("role", (role.rolename,))
    return found.new and found.age > thing.age


@inverts("ReassignOwnedStmt")
def reassign(step: Step) -> Iterator[Part]:
    """REASSIGN OWNED: which objects changed hands is not in the text."""
    yield Missing(f"which objects belonged to {roles_text(step.node.roles)} before")
