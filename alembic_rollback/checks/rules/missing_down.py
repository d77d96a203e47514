"""Steps that nothing was written for to undo them."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_rollback.checks.subject import Said, Subject


def check(subject: Subject) -> Iterator[Said]:
    """Name each step that has no down script."""
    for step in subject.plan.steps:
        if not step.has_down:
            advice = f"`alembic generate-down {step.path.name}` writes what can be derived."
            yield Said(
                f"{step.title} has no down script.",
                advice if step.is_pair else "Write its downgrade() function.",
            )
