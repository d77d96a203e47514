"""What CASCADE takes that the plan doesn't name, and what stops the plan where it isn't written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from alembic_rollback.catalog.dependencies import PG_CONSTRAINT
from alembic_rollback.catalog.tables import foreign_keys_among, untracked_bodies
from alembic_rollback.checks.losses import shown_rows
from alembic_rollback.checks.subject import Said, Subject
from alembic_rollback.sql.build import split_name
from alembic_rollback.sql.names import quote_identifier
from alembic_rollback.sql.words import identifiers

if TYPE_CHECKING:
    from alembic_rollback.model import Affected, Obstacle, TableLoss

_MOST = 10
"""Objects, and obstacles, that are named."""
_RELATIONS = ("table", "view", "materialized view", "foreign table", "sequence")
_KEPT = "Its definition is kept in the log and restored when the revision is applied again"


def check(subject: Subject) -> Iterator[Said]:
    """Name what goes along by CASCADE, then why statements will fail."""
    yield from _shortened([_also_dropped(subject, one) for one in outsiders(subject)])
    obstacles = (one for step in subject.impact.steps for one in step.obstacles)
    yield from _shortened([_in_the_way(one) for one in obstacles])
    yield from _shortened(list(_untracked(subject)))


def _untracked(subject: Subject) -> Iterator[Said]:
    """Functions that stay and whose bodies name a relation that goes."""
    dropped = [one for one in subject.impact.objects if one.action == "dropped"]
    gone = {one.address[1] for one in dropped}
    relations = {split[-1] for one in dropped if one.kind in _RELATIONS and (split := _name(one))}
    if not relations:
        return
    for oid, signature, body in untracked_bodies(subject.connection, sorted(relations)):
        named = sorted(relations & identifiers(body))
        if named and oid not in gone:
            yield Said(
                f"The body of {signature} names {', '.join(map(quote_identifier, named))}; "
                "PostgreSQL doesn't track it: whether it works without is not known.",
                "Look at it before you go on.",
            )


def _name(one: Affected) -> tuple[str, ...]:
    return split_name(one.name) or ()


def outsiders(subject: Subject) -> list[Affected]:
    """What CASCADE drops from others, without foreign keys: connected_tables tells of those."""
    dropped = (one for one in subject.impact.objects if one.action == "dropped")
    found = {one.address: one for one in dropped if one.outside}
    constraints = [oid for classid, oid, _ in found if classid == PG_CONSTRAINT]
    keys = foreign_keys_among(subject.connection, constraints)
    return [
        one
        for (classid, oid, _), one in found.items()
        if classid != PG_CONSTRAINT or oid not in keys
    ]


def _also_dropped(subject: Subject, one: Affected) -> Said:
    loss = _loss(subject, one)
    if loss is None or (loss.rows == 0 and loss.exact):
        return Said(
            f"CASCADE also drops {one.shown}, which is not part of this rollback.", f"{_KEPT}."
        )
    number, what = shown_rows(loss.rows, loss.exact), "rows"
    if loss.column:
        number, what = number.replace("row", "value"), "values"
    lost = "" if one.kind == "materialized view" else f"; its {what} are not"
    return Said(
        f"CASCADE also drops {one.shown} ({number}), which is not part of this rollback.",
        f"{_KEPT}{lost}.",
    )


def _loss(subject: Subject, one: Affected) -> TableLoss | None:
    """What goes with a table, or with a column of one."""
    _, oid, part = one.address
    for loss in (loss for step in subject.impact.steps for loss in step.tables):
        column = f".{quote_identifier(loss.column)}" if loss.column else ""
        if loss.oid == oid and bool(part) == bool(column) and one.name.endswith(column):
            return loss
    return None


def _in_the_way(obstacle: Obstacle) -> Said:
    return Said(
        f"{obstacle.where}: {obstacle.problem}.", obstacle.next_step or _way_out(obstacle.problem)
    )


def _way_out(problem: str) -> str:
    """What to write instead. CASCADE doesn't help where the owner of a part requires it."""
    reason = problem.rpartition("` will fail: ")[2]
    if reason.startswith("it is still needed by "):
        return "Add CASCADE, or drop it first in the down script."
    if " requires " in reason:
        return "Drop what requires it instead, in the down script."
    return "Correct the down script."


def _shortened(said: list[Said]) -> Iterator[Said]:
    yield from said[:_MOST]
    if len(said) > _MOST:
        yield Said(f"And {len(said) - _MOST} more.")
