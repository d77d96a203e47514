"""The downs of a run with their rows kept: each statement with what the archive needs before it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic_rollback.errors import Blocked, RollbackError
from alembic_rollback.host.ledgers import archive_of
from alembic_rollback.host.outside import taken
from alembic_rollback.host.state import State, Watching
from alembic_rollback.model import LogEntry
from alembic_rollback.recovery.probes import holds_alone
from alembic_rollback.runner import Execute, execute
from alembic_rollback.sql.parser import Statement, parse

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


_PLACEHOLDER = re.compile(r"%s|%\(\w+\)s|\$\d+|(?<!:):[a-z_]\w*", re.I)
"""Of the drivers' parameter styles."""


def archives(state: State, direction: str) -> bool:
    """Whether what a step loses is kept."""
    asked = state.order.archive if state.order else state.settings.archive == "always"
    return asked and direction == "down" and not state.offline


def executor(state: State, version: str) -> Execute:
    """Runs the statements of a down, each after what it loses was kept."""
    keeping = _Keeping(state, version)

    def run(connection: Connection, statement: Statement, number: int, total: int) -> None:
        after = keeping.keeper.before(statement)
        execute(connection, statement, number, total)
        after()
        keeping.note()

    return run


@contextmanager
def archived(state: State, version: str) -> Iterator[None]:
    """Keep what a `.py` downgrade loses; its statements are told by SQLAlchemy's events."""
    from sqlalchemy import event

    watch, connection = _Watch(_Keeping(state, version)), state.connection
    event.listen(connection, "before_cursor_execute", watch.before)
    event.listen(connection, "after_cursor_execute", watch.after)
    try:
        yield
    finally:
        event.remove(connection, "before_cursor_execute", watch.before)
        event.remove(connection, "after_cursor_execute", watch.after)
        if watch.open:
            with suppress(Exception):  # the connection may be gone
                connection.exec_driver_sql("ROLLBACK")


class _Keeping:
    """The archive of one step, and its rows in the log."""

    def __init__(self, state: State, version: str) -> None:
        self.state, self.version = state, version
        archive = archive_of(state.settings, state.ledger)
        archive.create(state.connection)
        from alembic_rollback.archive.keeping import Keeper

        self.keeper: Keeper = Keeper(state.connection, archive, state.run, version)
        self._noted = 0

    def note(self) -> None:
        """Write what was kept since the last time into the log."""
        for one in self.keeper.notes[self._noted :]:
            columns = f" ({', '.join(one.columns)})" if one.columns else ""
            text = f"{one.kind} {one.table}{columns} is kept as {one.id}"
            entry = LogEntry(self.version, "down", "archived", statement=text)
            self.state.ledger.note(self.state.connection, self.state.run, entry)
        self._noted = len(self.keeper.notes)


class _Watch:
    def __init__(self, keeping: _Keeping) -> None:
        self._keeping = keeping
        self._after: Any = None
        self.open = False
        """A transaction of its own has begun."""

    def before(self, connection: Connection, cursor: Any, sql: str, *_: Any) -> None:
        attempt = self._keeping.state.attempt
        if attempt is None or attempt.watching is Watching.OURS:
            return
        alone = attempt.watching is Watching.ONE_BY_ONE
        with taken(attempt, Watching.OURS):
            for statement in _parsed(sql):
                if alone and not holds_alone(statement):
                    continue
                if alone:  # what is kept of it and itself are one, also outside a transaction
                    connection.exec_driver_sql("BEGIN")
                    self.open = True
                self._after = self._keeping.keeper.before(statement)

    def after(self, connection: Connection, *_: Any) -> None:
        attempt = self._keeping.state.attempt
        if attempt is None or attempt.watching is Watching.OURS or self._after is None:
            return
        with taken(attempt, Watching.OURS):
            self._after()
            self._after = None
            self._keeping.note()
            if self.open:
                connection.exec_driver_sql("COMMIT")
                self.open = False


def _parsed(sql: str) -> tuple[Statement, ...]:
    """What it is about can be read whatever its parameters are. Raises Blocked if it cannot."""
    try:
        return parse(_PLACEHOLDER.sub("NULL", sql).replace("%%", "%"), Path("op"))
    except RollbackError:
        first = " ".join(sql.split())[:100]
        raise Blocked(
            f"What this takes cannot be archived, for it cannot be read: {first}",
            state="Nothing was changed.",
            next_step="Run it without --archive, with a backup.",
        ) from None
