"""The last look: what a rollback will take away, counted again under the lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from alembic_rollback.catalog.tables import lock_tables
from alembic_rollback.checks.impact import assess
from alembic_rollback.errors import Blocked, DatabaseError
from alembic_rollback.host.environment import Key
from alembic_rollback.model import Impact, Revision, Rollback, StepImpact
from alembic_rollback.runner import describe
from alembic_rollback.sql.script import Script

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


class Guard:
    """Looks at what will be lost once more, under the lock and with the tables locked.

    Between the question and the lock somebody may have written rows or edited a file. What a person
    has agreed to must still be so; with --yes, what is found now is what is reported.
    """

    def __init__(
        self, prepared: Mapping[Key, Rollback], count_limit: int, *, agreed: bool, each: bool
    ) -> None:
        self.found = dict(prepared)
        self.shown = prepared
        self.count_limit, self.agreed, self.each = count_limit, agreed, each

    def __call__(
        self,
        key: Key,
        connection: Connection,
        steps: tuple[Revision, ...],
        scripts: Mapping[str, Script | None],
    ) -> None:
        """Look at some steps right before they run.

        Raises Blocked where they aren't what was agreed to, DatabaseError where the tables cannot
        be locked in time.
        """
        shown = self.shown[key]
        if all(script is None or script.transactional for script in scripts.values()):
            _lock_tables(connection, [s for s in shown.impact.steps if s.revision in steps])
        impact = assess(connection, replace(shown.plan, steps=steps), scripts, self.count_limit)
        if self.agreed and not self._is_what_was_shown(key, impact, scripts):
            raise Blocked(
                "What would be lost has changed since it was shown.",
                state="Nothing was changed.",
                next_step="Run the command again to see it as it is now.",
            )
        found = {step.revision.version: step for step in impact.steps}
        merged = [found.get(s.revision.version, s) for s in self.found[key].impact.steps]
        whole = replace(self.found[key].impact, steps=tuple(merged))
        self.found[key] = replace(self.found[key], impact=whole)

    def _is_what_was_shown(
        self, key: Key, impact: Impact, scripts: Mapping[str, Script | None]
    ) -> bool:
        shown = self.shown[key]
        if any(scripts[version] != shown.scripts[version] for version in scripts):
            return False
        if not self.each:
            return impact == shown.impact
        # One step at a time: what the steps before it took is no longer there to be compared.
        tables = {step.revision.version: step.tables for step in shown.impact.steps}
        return all(step.tables == tables[step.revision.version] for step in impact.steps)


def _lock_tables(connection: Connection, steps: Sequence[StepImpact]) -> None:
    from sqlalchemy.exc import DBAPIError

    try:
        lock_tables(connection, [table.oid for step in steps for table in step.tables])
    except DBAPIError as error:
        raise DatabaseError(
            f"The tables that would lose rows cannot be locked: {describe(error)['message']}.",
            state="Nothing was changed.",
            next_step="Try again, or wait longer with --lock-timeout.",
        ) from None
