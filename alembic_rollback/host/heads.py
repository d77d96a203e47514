"""Heads where Alembic's own way to them is quadratic; and an ordinary step's, in one statement.

Alembic asks four questions about branches before it writes, and for a downgrade walks through all
ancestors to answer one of them. Where a step has one parent at most, and no other head can matter,
the answers are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alembic_rollback.sql.names import quote_literal

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext, RevisionStep


@dataclass(frozen=True)
class Move:
    """The version table's row before and after a step; None where there is none."""

    before: str | None
    after: str | None

    def sql(self, context: MigrationContext) -> str:
        """The statement; it returns a row for each that it has changed."""
        table, column = _named(context)
        before, after = quote_literal(self.before), quote_literal(self.after)
        if self.before is None:
            change = f"INSERT INTO {table} ({column}) VALUES ({after})"
        elif self.after is None:
            change = f"DELETE FROM {table} WHERE {column} = {before}"
        else:
            change = f"UPDATE {table} SET {column} = {after} WHERE {column} = {before}"
        return f"{change} RETURNING 1"

    def note(self, maintainer: Any, context: MigrationContext, changed: int) -> None:
        """Tell Alembic what was done. Raises CommandError, as it does, where the row wasn't there.

        changed: how many rows were.
        """
        from alembic.util import CommandError

        if changed != 1:
            action = "deleting" if self.after is None else "updating"
            target = "" if self.after is None else f" to {self.after!r}"
            raise CommandError(
                f"Online migration expected to match one row when {action} {self.before!r}"
                f"{target} in {context.version_table!r}; {changed} found"
            )
        maintainer.heads.discard(self.before)
        if self.after is not None:
            maintainer.heads.add(self.after)


def ordinary_move(maintainer: Any, step: RevisionStep) -> Move | None:
    """What a step changes; None where branches, a merge or the connection make it Alembic's."""
    if _translated(maintainer.context):
        return None
    version, below = step.revision.revision, step.revision._normalized_down_revisions
    if len(below) > 1:
        return None
    parent = below[0] if below else None
    if step.is_upgrade:
        plain = version not in maintainer.heads and (parent is None or parent in maintainer.heads)
        return Move(parent, version) if plain else None
    return Move(version, parent) if maintainer.heads == {version} else None


def branch_heads(_: Any, map_: Any, args: Any, kwargs: Any) -> set[Any]:
    """Seam `RevisionMap._filter_into_branch_heads`: the revisions that no other of them is above.

    Alembic walks from each to the end of the history: `alembic current` takes a minute with 10,000
    revisions. Down from all of them together, each revision is passed once.
    """
    targets = set(_targets(*args, **kwargs))
    below: set[str] = set()
    waiting = [parent for target in targets for parent in target._versioned_down_revisions]
    while waiting:
        version = waiting.pop()
        if version not in below:
            below.add(version)
            waiting += map_._revision_map[version]._versioned_down_revisions
    return {target for target in targets if target.revision not in below}


def _targets(targets: Any) -> Any:
    return targets


def _translated(context: MigrationContext) -> bool:
    """Whether SQLAlchemy would write another schema than the version table's."""
    assert context.connection is not None
    return "schema_translate_map" in context.connection.get_execution_options()


def _named(context: MigrationContext) -> tuple[str, str]:
    preparer: Any = context.dialect.identifier_preparer
    return preparer.format_table(context._version), preparer.quote("version_num")
