"""CREATE → DROP, for every kind of object that its own statement makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from alembic_rollback.inverse.registry import Missing, Part, Step, Undo

if TYPE_CHECKING:
    from alembic_rollback.inverse.targets import Target


def made(step: Step, target: Target, *, cascade: bool = False) -> Undo:
    """Record a new object, and drop it in the down."""
    thing = step.world.make(target.thing.kind, target.thing.name)
    return Undo(target.drop + (" CASCADE" if cascade else ""), thing)


def made_part(step: Step, target: Target) -> Undo:
    """The same for a part of a relation: a policy, trigger or rule."""
    owner = target.thing.owners[0]
    thing = step.world.make_part(owner, target.thing.kind, target.thing.name[-1])
    return Undo(target.drop, thing)


def replaced(step: Step, target: Target) -> Iterator[Part]:
    """CREATE OR REPLACE: undone only where the file itself tells what was there before.

    Nothing to undo over what the file made; a plain CREATE over what the file dropped.
    """
    thing = target.thing
    if thing.dropped:
        yield made_part(step, target) if thing.owners else made(step, target)
    elif not thing.new:
        fact = f"whether {target.shown} was there before, and its definition"
        yield Missing(f"{fact}: OR REPLACE keeps neither")
