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
        self._last = since if known else None
        self._next = since.next if since else 0
        self._run: State | None = None

    def end(self) -> None:
        """What will run is not what was looked at."""
        self._last = None

    def begins(self, state: State) -> None:
        """Before the tables are locked, which may already take a transaction id."""
        if self._run is state or self._last is None:
            return
        self._run = state
        if read_moment(state.connection).own is not None:
            self._last = None  # this transaction has written already: env.py may have

    def lasts(self, state: State, scripts: Iterable[Script | None]) -> bool:
        """Whether it is so under the locks of a step, which will run these scripts.

        Anything that is not known to be so ends it: another transaction, committed or not; somebody
        who may run statements of his own in ours (events, callbacks, event triggers); after this
        step, a script that does what only PostgreSQL knows.
        """
        if self._last is None or _others_may_write_in(state):
            self._last = None
            return False
        now = read_moment(state.connection)
        same = now.place == self._last.place and not now.event_triggers
        if not (same and now.complete and now.next == self._next):
            self._last = None
            return False
        # The step takes the next transaction id: this one.
        self._last, self._next = now, now.next + 1
        if not all(script is not None and _is_foreseeable(script) for script in scripts):
            self._last = None
        return True


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
