"""Comments and security labels."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_rollback.inverse.registry import Missing, Part, Step, inverts
from alembic_rollback.inverse.targets import target
from alembic_rollback.sql.build import enum_name


@inverts("CommentStmt")
def comment(step: Step) -> Iterator[Part]:
    """COMMENT ON: the comment before is not in the text."""
    found = target(step.world, enum_name(step.node, "objtype"), step.node.object)
    if found is None:
        yield Missing("the comment before, if there was one")
    else:
        yield from step.lost(found.thing, f"the comment on {found.shown} before, if there was one")


@inverts("SecLabelStmt")
def label(step: Step) -> Iterator[Part]:
    """SECURITY LABEL: the label before is not in the text."""
    found = target(step.world, enum_name(step.node, "objtype"), step.node.object)
    if found is None:
        yield Missing("the security label before, if there was one")
    else:
        yield from step.lost(
            found.thing, f"the security label of {found.shown} before, if it had one"
        )
