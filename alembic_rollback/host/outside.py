"""Steps that no transaction holds together: intent, statement, outcome, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic_rollback.errors import RollbackError
from alembic_rollback.host.state import Attempt, State, Watching
from alembic_rollback.model import LogEntry
from alembic_rollback.recovery.probes import holds_alone, note_before
from alembic_rollback.runner import Execute, execute
from alembic_rollback.sql.parser import Statement, parse
from alembic_rollback.sql.secrets import redacted

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.recovery.remains import Remains


class Recorder:
    """Runs the statements of one script on a connection that commits each of them."""

    def __init__(
        self, state: State, version: str, direction: str, execute: Execute = execute
    ) -> None:
        self.state, self.version, self.direction = state, version, direction
        self.execute = execute
        self.again: frozenset[int] = frozenset()

    def go_on(self, remains: Remains) -> None:
        """Before the rest of a script: some statements have nothing to undo, and some are only run
        again for what they set.
        """
        self.again = remains.again
        for number, text in remains.moot.items():
            self.note("skipped", text, number, remains.script.total)

    def __call__(
        self, connection: Connection, statement: Statement, number: int, total: int
    ) -> None:
        """Run one statement so that its outcome is known whatever happens.

        What can be in a transaction is committed together with its record. Raises StatementError.
        """
        if number in self.again:
            execute(connection, statement, number, total)
            return
        if holds_alone(statement):
            self._whole(connection, statement, number, total)
            return
        found = note_before(connection, statement)
        self.note("started", statement.text, number, total, found=found)
        execute(connection, statement, number, total)
        self.note("finished", statement.text, number, total)

    def _whole(self, connection: Connection, statement: Statement, number: int, total: int) -> None:
        connection.exec_driver_sql("BEGIN")
        try:
            self.execute(connection, statement, number, total)
            self.note("finished", statement.text, number, total)
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            with suppress(Exception):  # the connection may be gone
                connection.exec_driver_sql("ROLLBACK")
            raise

    def note(
        self, outcome: str, text: str, number: int, total: int | None, found: str | None = None
    ) -> None:
        """Write one row of the log."""
        revision = self.state.history.revisions.get(self.version)
        entry = LogEntry(
            self.version,
            self.direction,
            outcome,
            name=revision.name if revision else "",
            statement=redacted(text),
            statement_number=number,
            statement_total=total,
            found=found,
        )
        self.state.ledger.note(self.state.connection, self.state.run, entry)


def repair(connection: Connection, repairs: tuple[str, ...], *, inside: bool) -> None:
    """Clear away what a broken statement has left. inside: in a transaction."""
    for sql in repairs:
        if inside:
            # Its table is locked for a moment; without a transaction nobody has to wait.
            sql = sql.replace("DROP INDEX CONCURRENTLY", "DROP INDEX", 1)
        connection.exec_driver_sql(sql, execution_options={"no_parameters": True})


@contextmanager
def watched(state: State) -> Iterator[None]:
    """Count and record the statements of a `.py` revision while it runs.

    They are only known once they come, so they are told by SQLAlchemy's events.
    """
    attempt = state.attempt
    connection: Any = state.connection
    assert attempt is not None
    attempt.watching = Watching.ONE_BY_ONE if state.autocommits else Watching.TOGETHER
    watch = _Watch(Recorder(state, attempt.version, attempt.direction), attempt)
    from sqlalchemy import event

    event.listen(connection, "before_cursor_execute", watch.before)
    event.listen(connection, "after_cursor_execute", watch.after)
    try:
        yield
    finally:
        event.remove(connection, "before_cursor_execute", watch.before)
        event.remove(connection, "after_cursor_execute", watch.after)


def note_committed(state: State, attempt: Attempt) -> None:
    """Record, in the transaction that an autocommit block is about to commit, that it holds a part
    of a `.py` revision.
    """
    new = attempt.statements - attempt.kept
    if not new or state.autocommits:
        return
    recorder = Recorder(state, attempt.version, attempt.direction)
    what = "statement" if new == 1 else f"{new} statements"
    recorder.note("finished", f"the {what} before autocommit_block()", attempt.statements, None)
    attempt.kept = attempt.statements


@contextmanager
def taken(attempt: Attempt, how: Watching) -> Iterator[None]:
    """In the block, statements are taken in that way."""
    before, attempt.watching = attempt.watching, how
    try:
        yield
    finally:
        attempt.watching = before


class _Watch:
    def __init__(self, recorder: Recorder, attempt: Attempt) -> None:
        self._recorder, self._attempt = recorder, attempt

    def before(self, connection: Connection, cursor: Any, sql: str, *_: Any) -> None:
        attempt = self._attempt
        if attempt.watching is Watching.OURS:
            return
        attempt.statements += 1
        if attempt.watching is Watching.ONE_BY_ONE:
            attempt.pending = True
            with taken(attempt, Watching.OURS):
                statement = _parsed(sql)
                found = note_before(connection, statement) if statement else None
                self._recorder.note("started", sql, attempt.statements, None, found=found)

    def after(self, connection: Connection, cursor: Any, sql: str, *_: Any) -> None:
        attempt = self._attempt
        if attempt.watching is Watching.ONE_BY_ONE:
            with taken(attempt, Watching.OURS):
                self._recorder.note("finished", sql, attempt.statements, None)
            attempt.kept = attempt.statements
            attempt.pending = False


def _parsed(sql: str) -> Statement | None:
    """The statement, if it is one; with a driver's placeholders it need not parse."""
    try:
        found = parse(sql, Path("op"))
    except RollbackError:
        return None
    return found[0] if len(found) == 1 else None
