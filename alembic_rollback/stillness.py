"""Whether a database is still as it was when a plan was looked at, but for the plan's own steps.

To look at each step again under its locks costs more than to run it. Where nobody else has written
anything in the meantime, and everything that the steps before it did was foreseen, the second look
would find what the first one has.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from alembic_rollback import direct
from alembic_rollback.catalog.moments import Moment, read_moment
from alembic_rollback.host.archiving import archives
from alembic_rollback.sql.effects import is_foreseeable

if TYPE_CHECKING:
    from alembic_rollback.host.state import State
    from alembic_rollback.sql.script import Script


class Stillness:
    """Follows the cluster's transactions from the look on, through a run's own; ends for good."""

    def __init__(self, since: Moment | None) -> None:
        known = since is not None and since.complete and since.own is None
        self._place = since.place if since and known else None
        """None where it has ended."""
        self._next = since.next if since else 0
        self._run: State | None = None

    def end(self) -> None:
        """What will run is not what was looked at."""
        self._place = None

    def begins(self, state: State) -> None:
        """Before the tables are locked, which may already take a transaction id."""
        if self._run is state or self._place is None:
            return
        self._run = state
        if read_moment(state.connection).own is not None:
            self.end()  # this transaction has written already: env.py may have

    def lasts(self, state: State, scripts: Iterable[Script | None]) -> bool:
        """Whether it is so under the locks of a step, which will run these scripts.

        Anything that is not known to be so ends it: another transaction, committed or not; somebody
        who may run statements of his own in ours (events, callbacks, event triggers); after this
        step, a script that does what only PostgreSQL knows.
        """
        lasted = (
            self._place is not None
            and not _others_may_write_in(state)
            and self._is_next(read_moment(state.connection))
        )
        self._next += 1  # the step takes that transaction id
        if not lasted or not all(script and _is_foreseeable(script) for script in scripts):
            self.end()
        return lasted

    def _is_next(self, now: Moment) -> bool:
        same = now.place == self._place and not now.event_triggers
        return same and now.complete and now.next == self._next


def _others_may_write_in(state: State) -> bool:
    context = state.context
    return bool(
        context._in_external_transaction
        or context.on_version_apply_callbacks
        or direct.is_heard_by_others(state.connection)
        or archives(state, "down")
    )


def _is_foreseeable(script: Script) -> bool:
    return script.transactional and all(is_foreseeable(one) for one in script.statements)
