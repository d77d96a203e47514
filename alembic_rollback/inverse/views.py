"""Views."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_rollback.inverse.making import replaced
from alembic_rollback.inverse.registry import Part, Step, Undo, inverts
from alembic_rollback.inverse.tables import record_relation
from alembic_rollback.inverse.targets import named
from alembic_rollback.sql.effects import relation_name


@inverts("ViewStmt")
def create_view(step: Step) -> Iterator[Part]:
    """CREATE VIEW → DROP VIEW; what OR REPLACE replaced is not in the text."""
    node = step.node
    target = named(step.world, "OBJECT_VIEW", relation_name(node.view))
    if node.replace and node.view.relpersistence != "t":
        yield from replaced(step, target)
    else:
        yield Undo(target.drop, record_relation(step.world, node.view))
