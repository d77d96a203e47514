"""Rows and values that are gone for good after the rollback, table by table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from alembic_rollback.catalog.dependencies import PG_CLASS
from alembic_rollback.checks.losses import shown_rows
from alembic_rollback.checks.subject import Said, Subject
from alembic_rollback.sql.names import quote_identifier

if TYPE_CHECKING:
    from alembic_rollback.model import TableLoss


def check(subject: Subject) -> Iterator[Said]:
    """Say how many rows each table and how many values each column loses, and what isn't known."""
    backup, kinds = _next_step(subject), _kinds(subject)
    for loss in greatest(loss for step in subject.impact.steps for loss in step.tables):
        yield Said(f"{_shown(loss, kinds.get(loss.oid, 'table'))}. This is DESTRUCTIVE.", backup)
    for step in subject.impact.steps:
        for line in step.unknown:
            yield Said(f"{line}; rows may be lost.", backup)


def greatest(losses: Iterable[TableLoss]) -> list[TableLoss]:
    """The greatest loss of each table, or column of a table that stays; none of what is empty."""
    found: dict[tuple[str, str], TableLoss] = {}
    for loss in losses:
        key = (loss.name, loss.column)
        if (loss.rows != 0 or not loss.exact) and (
            key not in found or _size(loss) > _size(found[key])
        ):
            found[key] = loss
    return [loss for (name, column), loss in found.items() if not column or (name, "") not in found]


def _size(loss: TableLoss) -> float:
    return float("inf") if loss.rows is None else loss.rows


def _kinds(subject: Subject) -> dict[int, str]:
    """`materialized view` and the like, by oid, of what is dropped."""
    relations = (one for one in subject.impact.objects if one.address[0] == PG_CLASS)
    return {one.address[1]: one.kind for one in relations if not one.address[2]}


def _shown(loss: TableLoss, kind: str) -> str:
    """`Table purchase_orders has 150 rows`, `Column total of purchase_orders has 150 values`."""
    number = shown_rows(loss.rows, loss.exact)
    if loss.column:
        values = number.replace("row", "value")
        return f"Column {quote_identifier(loss.column)} of {loss.name} has {values}"
    return f"{kind.capitalize()} {loss.name} has {number}"


def _next_step(subject: Subject) -> str:
    has_option = subject.command == "rollback-db"
    return "Make a backup first: --backup" if has_option else "Make a backup first."
