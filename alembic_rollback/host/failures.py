"""A step failed: undo what can be undone, record it, say where the database is now."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from alembic_rollback.errors import ConnectionLost, DatabaseError, RollbackError, StatementError
from alembic_rollback.model import LogEntry, Partial, Revision, StepFailure
from alembic_rollback.recovery.remains import still_partial
from alembic_rollback.runner import describe
from alembic_rollback.sql.secrets import redacted, without_passwords

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.host.state import State

log = logging.getLogger("alembic.rollback")
_ATTRIBUTE = "_alembic_rollback_failure"
_EARLIER: WeakKeyDictionary[Any, list[bool]] = WeakKeyDictionary()
"""By run of env.py: for each database or schema before this one, whether steps were run there."""


def failure_of(error: BaseException) -> StepFailure | None:
    """What was recorded about an error that came out of a run; None if it is none of ours."""
    found: StepFailure | None = getattr(error, _ATTRIBUTE, None)
    return found


def attach(error: BaseException, failure: StepFailure) -> None:
    """Put what is known about a failure on its error, for `failure_of`."""
    setattr(error, _ATTRIBUTE, failure)


def origin_of(error: BaseException) -> BaseException:
    """What a run began to fail with: on a dead connection, undoing it raises errors of its own."""
    from sqlalchemy import exc

    masks = (exc.PendingRollbackError, exc.DBAPIError)
    if failure_of(error):
        return error  # `recorded` has found it, and raised it while it handled another
    found, before = error, error.__context__
    begun = (*masks, RollbackError, KeyboardInterrupt)
    while isinstance(found, masks) and isinstance(before, begun):
        found, before = before, before.__context__
    return found


def _begun_with(error: BaseException) -> BaseException:
    """As `origin_of`; ConnectionLost where somebody has caught what a dead connection raised."""
    from sqlalchemy import exc

    origin = origin_of(error)
    if isinstance(origin, exc.PendingRollbackError):
        return ConnectionLost("the server has gone away")
    return origin


def told(error: BaseException) -> BaseException | None:
    """The error to print in lines for one that ended a command; None if it is a bug's.

    That of a step or one of ours; else DatabaseError where PostgreSQL refused or has gone away.
    """
    from sqlalchemy import exc

    origin = _begun_with(error)
    for one in (error, origin):
        if isinstance(one, RollbackError) or failure_of(one):
            return one
    if not isinstance(origin, exc.DBAPIError) or not _is_postgresql(origin):
        return None
    message = str(describe(origin)["message"])
    if is_lost(origin):
        return ConnectionLost(message)
    if isinstance(origin, exc.OperationalError) and origin.statement is None:
        return DatabaseError(
            f"Cannot connect to the database: {message}",
            next_step="Once it can be reached, `alembic migration-status` shows the state.",
        )
    return DatabaseError(
        f"The database refused: {message}.",
        next_step="`alembic migration-status` shows the state.",
    )


def is_lost(error: BaseException | None) -> bool:
    """Whether an error, or what it was made of, is the end of the connection."""
    if error is None or isinstance(error, ConnectionLost):
        return error is not None
    return bool(getattr(error, "connection_invalidated", False)) or is_lost(error.__cause__)


def _is_postgresql(error: Any) -> bool:
    """By the driver: its errors are all that is there, whichever engine env.py has made."""
    drivers = ("psycopg", "psycopg2", "asyncpg", "pg8000", "sqlalchemy")
    return type(error.orig).__module__.partition(".")[0] in drivers


@contextmanager
def recorded(state: State) -> Iterator[None]:
    """Turn an error in a step into a rolled-back transaction and a log row, and raise it again."""
    try:
        yield
    except BaseException as error:
        origin = _begun_with(error)
        if state.attempt is not None:
            _handle(state, origin)
        if origin is error:
            raise
        raise origin from origin.__cause__
    if state.context.environment_context is not None:
        _EARLIER.setdefault(state.context.environment_context, []).append(bool(state.done))


def _handle(state: State, error: BaseException) -> None:
    attempt, context = state.attempt, state.context
    assert attempt is not None
    number, total = attempt.statements if attempt.pending else None, None
    if isinstance(error, StatementError):
        number, total = error.ordinal, error.total
    entry = state.entry(
        attempt.version,
        attempt.direction,
        "failed",
        duration_ms=attempt.elapsed_ms,
        statement=_statement(error),
        statement_number=number,
        statement_total=total,
        error=_message(error),
    )
    external = bool(context._in_external_transaction)
    committed: tuple[str, ...] = ()
    partial: Partial | None = None
    recorded = True
    try:
        if external:
            _note_elsewhere(state, entry)
        else:
            _undo(state)
            committed, partial = _note_here(state, entry)
    except Exception as second:
        # The first error is what the user needs; that it could not be recorded, in addition.
        log.warning("The failure could not be recorded: %s", str(second).splitlines()[0])
        recorded = external
    revision = state.history.revisions[attempt.version]
    failure = StepFailure(
        attempt.version,
        revision.title,
        attempt.direction,
        _path(state, revision),
        entry.error or "",
        committed,
        partial,
        external,
        state.backend,
        outside=state.autocommits or attempt.outside,
        earlier=any(_EARLIER.get(context.environment_context, ())),
        recorded=recorded,
        lost=is_lost(error),
    )
    attach(error, failure)


def _path(state: State, revision: Revision) -> Path:
    assert state.attempt is not None
    script = state.scripts.get((revision.version, state.attempt.direction))
    return script.path if script else revision.path


def _undo(state: State) -> None:
    context = state.context
    if context._transaction is not None and context._transaction.is_active:
        context._transaction.rollback()
    elif state.connection.get_transaction() is not None:  # also one that a lost connection ended
        state.connection.rollback()
    context._transaction = None


def _note_here(state: State, entry: LogEntry) -> tuple[tuple[str, ...], Partial | None]:
    """Write the row in a transaction of its own; return, by the log, what the run has committed and
    how far the failed step got.
    """
    with state.connection.begin():
        state.ledger.create(state.connection)
        outcome = "applied" if entry.direction == "up" else "rolled_back"
        committed = state.ledger.logged(state.connection, state.run.run_id, outcome)
        state.ledger.note(state.connection, state.run, entry)
        begun = still_partial(state.connection, state.ledger.partials(state.connection))
    return committed, begun.get(entry.version)


def _note_elsewhere(state: State, entry: LogEntry) -> None:
    """The caller's transaction is not ours to end: record through a second connection."""
    if _exhausted(state.connection.engine.pool):
        raise RuntimeError("the pool has no second connection")
    with state.connection.engine.connect() as other:
        if _same(other, state.connection):
            return
        with other.begin():
            # The caller's transaction may hold the log's creation: waiting would never end.
            other.exec_driver_sql("SET LOCAL lock_timeout = '1s'")
            if state.ledger.has_log(other):
                state.ledger.note(other, state.run, entry)


def _exhausted(pool: Any) -> bool:
    """Whether asking a QueuePool for a connection would wait for the one that we hold."""
    most = getattr(pool, "_max_overflow", -1)
    return bool(most >= 0 and pool.checkedout() >= pool.size() + most)


def _same(one: Connection, other: Connection) -> bool:
    """A pool of one connection hands out the connection that the caller is using."""
    return one.connection.dbapi_connection is other.connection.dbapi_connection


def _statement(error: BaseException) -> str | None:
    if isinstance(error, StatementError):
        text = redacted(error.statement)
        return f"{error.where}: statement {error.ordinal} of {error.total}: {text}"
    statement: Any = getattr(error, "statement", None)
    return redacted(str(statement)) if statement else None


def _message(error: BaseException) -> str:
    return without_passwords(_told(error))


def _told(error: BaseException) -> str:
    if isinstance(error, StatementError):
        parts = (error.sqlstate, error.what, error.detail, error.hint)
        return " ".join(part for part in parts if part)
    if hasattr(error, "orig"):
        told = describe(error)
        return " ".join(str(told[key]) for key in ("sqlstate", "message") if told[key])
    return f"{type(error).__name__}: {error}".strip().splitlines()[0]
