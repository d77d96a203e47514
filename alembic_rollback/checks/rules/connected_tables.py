"""Foreign keys of tables outside the plan that point at what it drops."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_rollback.checks.subject import Said, Subject


def check(subject: Subject) -> Iterator[Said]:
    """Name the tables that lose a foreign key."""
    if subject.impact.referenced_by:
        yield Said(
            f"Rolling back will affect: {', '.join(subject.impact.referenced_by)}",
            "Their foreign keys go; the log keeps the definitions.",
        )
