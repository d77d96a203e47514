"""Current catalog, wanted catalog → the statements that lead from one to the other, in order.

Each fact that differs becomes a step: dropped, changed or made. What a step needs and what needs
it (pg_depend, in the snapshot in which it holds) gives the order; where that leaves a choice, what
goes comes first, and of what is made, the lower rank.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.planning.matching import matched
from alembic_rollback.catalog.facts.planning.planner import Plan, Planner
from alembic_rollback.catalog.facts.planning.renaming import renames

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Id, Snapshot
    from alembic_rollback.catalog.facts.registry import Statements

__all__ = ["Plan", "making", "plan"]


def plan(current: Snapshot, wanted: Snapshot, *, same: bool) -> Plan:
    """The next round: renames if there are any, else everything else."""
    match = matched(current, wanted, same=same)
    found = renames(current, wanted, match)
    if found.statements:
        return found
    planner = Planner(current, wanted, match)
    found = planner.plan()
    if planner.circular:
        # What could stay by a change that comes first is dropped and made again instead.
        planner = Planner(current, wanted, match, outliving=False)
        found = planner.plan()
    if not found.statements:
        # What a parent, or the type of a table, had to bring first.
        found = Planner(current, wanted, match, inherited=True).plan()
    return found


def making(wanted: Snapshot, missing: Collection[Id]) -> list[tuple[Id, Statements]]:
    """What makes some facts of a snapshot where all others are there: by fact, in order.

    What comes with another, such as a table's columns, has nothing of its own.
    """
    rest = {one: fact for one, fact in wanted.facts.items() if one not in missing}
    current = replace(wanted, facts=rest)
    steps = Planner(current, wanted, matched(current, wanted, same=True)).steps()
    return [(step.id, statements) for step, statements in steps]
