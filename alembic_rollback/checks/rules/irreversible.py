"""Steps that say themselves that there is no way back."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_rollback.checks.subject import Said, Subject


def check(subject: Subject) -> Iterator[Said]:
    """Name each step that is marked irreversible, with its reasons."""
    for step in subject.plan.steps:
        if step.irreversible:
            yield Said(
                f"{step.title} is marked irreversible: {'; '.join(step.irreversible)}.",
                "Complete the down script and remove the `-- Irreversible:` line, or restore a "
                "backup.",
            )
