"""The last look: what a rollback will take away, counted again under the lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from alembic_rollback.catalog.tables import lock_tables
from alembic_rollback.checks.digest import content, step_content
from alembic_rollback.checks.impact import Known, assess
from alembic_rollback.checks.registry import RECHECKED, findings
from alembic_rollback.errors import Blocked, LockNotAvailable
from alembic_rollback.host import collateral
from alembic_rollback.host.retrying import DEADLOCK, LOCK_TIMEOUT
from alembic_rollback.preflight import budget_of, refuse, subject_of
from alembic_rollback.runner import describe
from alembic_rollback.stillness import Stillness

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection

    from alembic_rollback.catalog.moments import Moment
    from alembic_rollback.host.environment import Key
    from alembic_rollback.host.state import State
    from alembic_rollback.model import Affected, Impact, Revision, Rollback, StepImpact
    from alembic_rollback.sql.script import Script


class Guard:
    """Looks at what will be lost once more, under the lock and with the tables locked.

    Between the question and the lock somebody may have written rows or edited a file. What a person
    has agreed to must still be so; with --yes, what is found now is what is reported. The
    definitions of what CASCADE takes from others are kept in the log.
    """

    def __init__(
        self,
        config: Config,
        prepared: Mapping[Key, Rollback],
        since: Mapping[Key, Moment],
        *,
        agreed: bool,
        each: bool,
    ) -> None:
        """since: the moment at which each database was looked at."""
        self.config = config
        self._stillness = {key: Stillness(since.get(key)) for key in prepared}
        self.shown = prepared
        self.agreed, self.each = agreed, each
        self._steps = {
            key: {step.revision.version: step for step in one.impact.steps}
            for key, one in prepared.items()
        }
        self._now: dict[Key, dict[str, StepImpact]] = {key: {} for key in prepared}

    @property
    def found(self) -> dict[Key, Rollback]:
        """What was prepared, with the steps as they were when they were looked at again."""
        return {key: self._as_found(key, one) for key, one in self.shown.items()}

    def __call__(
        self,
        key: Key,
        state: State,
        steps: tuple[Revision, ...],
        scripts: Mapping[str, Script | None],
    ) -> None:
        """Look at some steps right before they run.

        Raises Blocked where they aren't what was agreed to, LockNotAvailable where the tables
        cannot be locked in time.
        """
        shown, connection, run = self.shown[key], state.connection, tuple(scripts.values())
        # What a downgrade() does was read beforehand; whether its file is the same is compared.
        scripts = {
            version: script or shown.scripts[version]  # type: ignore[misc]
            for version, script in scripts.items()
        }
        known = self._steps[key]
        before = [known[one.version] for one in steps if one.version in known]
        if state.autocommits:
            # Without transactions there is no lock under which a second look would hold.
            collateral.save(state, _outside(before))
            return
        stillness = self._stillness[key]
        stillness.begins(state)
        if all(script is None or script.transactional for script in scripts.values()):
            _lock_tables(connection, before)
        if not self._are_as_shown(key, steps, scripts):
            stillness.end()
        if stillness.lasts(state, run):
            collateral.save(state, _outside(before))
            return
        # Whose it is was found out beforehand; what has come since is others'.
        own = frozenset(one.address for step in before for one in step.objects if not one.outside)
        facts = Known(why=shown.why, uncounted=_uncounted(before), own=own, locks=False)
        plan = replace(shown.plan, steps=steps)
        impact = assess(connection, plan, scripts, budget_of(state.settings), facts)
        if self.agreed and not self._is_what_was_shown(key, impact, scripts):
            raise Blocked(
                "What would be lost has changed since it was shown.",
                state="Nothing was changed.",
                next_step="Run the command again to see it as it is now.",
            )
        now = replace(shown, plan=plan, impact=impact, scripts=scripts)
        subject = subject_of(self.config, connection, state.settings, now)
        refuse(findings(subject, RECHECKED))
        collateral.save(state, _outside(impact.steps))
        self._now[key] |= {step.revision.version: step for step in impact.steps}

    def _as_found(self, key: Key, shown: Rollback) -> Rollback:
        now = self._now[key]
        steps = tuple(now.get(step.revision.version, step) for step in shown.impact.steps)
        return replace(shown, impact=replace(shown.impact, steps=steps))

    def _are_as_shown(
        self, key: Key, steps: tuple[Revision, ...], scripts: Mapping[str, Script | None]
    ) -> bool:
        """Whether the files are the ones that were looked at."""
        known, shown = self._steps[key], self.shown[key].scripts
        return all(
            one.version in known
            and known[one.version].revision == one
            and scripts[one.version] == shown[one.version]
            for one in steps
        )

    def _is_what_was_shown(
        self, key: Key, impact: Impact, scripts: Mapping[str, Script | None]
    ) -> bool:
        shown = self.shown[key]
        if any(scripts[version] != shown.scripts[version] for version in scripts):
            return False
        if not self.each:
            now = content(shown.identity, shown.plan, impact, scripts)
            return now == content(shown.identity, shown.plan, shown.impact, scripts)
        # One step at a time: what the steps before it took is no longer there to be compared.
        known = self._steps[key]
        return all(
            step.revision.version in known
            and step_content(step)[1] == step_content(known[step.revision.version])[1]
            for step in impact.steps
        )


def _uncounted(steps: Sequence[StepImpact]) -> frozenset[int]:
    """Tables too large to be counted: writers need not wait while that is found out again."""
    return frozenset(t.oid for step in steps for t in step.tables if not t.exact)


def _outside(steps: Sequence[StepImpact]) -> list[tuple[str, Sequence[Affected]]]:
    """What each step takes from others."""
    return [
        (
            step.revision.version,
            [one for one in step.objects if one.outside and one.action == "dropped"],
        )
        for step in steps
    ]


def _lock_tables(connection: Connection, steps: Sequence[StepImpact]) -> None:
    from sqlalchemy.exc import DBAPIError

    try:
        lock_tables(connection, [table.oid for step in steps for table in step.tables])
    except DBAPIError as error:
        told = describe(error)
        if told["sqlstate"] not in (LOCK_TIMEOUT, DEADLOCK):
            raise
        raise LockNotAvailable(
            f"The tables that would lose rows cannot be locked: {told['message']}.",
            state="Nothing was changed.",
            next_step="Try again, or wait longer with --lock-timeout.",
        ) from None
