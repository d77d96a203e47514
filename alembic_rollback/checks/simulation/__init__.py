"""What a plan's statements would do to the catalog, followed one by one without running them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.checks.simulation import (
    altering,
    constraining,
    dropping,
    inheriting,
    making,
    moving,
    publishing,
)
from alembic_rollback.checks.simulation.registry import RULES
from alembic_rollback.checks.simulation.world import Change, Failure, World
from alembic_rollback.sql.effects import sets_search_path

if TYPE_CHECKING:
    from alembic_rollback.sql.parser import Statement

__all__ = [
    "Change",
    "Failure",
    "World",
    "altering",
    "constraining",
    "dropping",
    "follow",
    "inheriting",
    "making",
    "moving",
    "publishing",
]


def follow(world: World, statement: Statement) -> Change:
    """Let the world be as it is after one more statement; say what that changed."""
    change = Change(statement)
    world.moment += 1
    if sets_search_path(statement):
        world.names.set_path(statement)
    rule = RULES.get(statement.kind)
    if rule:
        rule(world, statement.node, change)
    return change
