"""Pairs whose files are not what was applied."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_rollback.checks.subject import Said, Subject


def check(subject: Subject) -> Iterator[Said]:
    """Name each step whose checksum is not the ledger's."""
    for step in subject.plan.steps:
        row = subject.rows.get(step.version)
        if step.is_pair and row and row.checksum and row.checksum != step.checksum:
            yield Said(
                f"{step.title} was changed after it was applied: "
                "its down may not fit what is in the database.",
                "Compare the file with the release that applied it.",
            )
