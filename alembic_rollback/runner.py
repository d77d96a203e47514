"""Run one script on one connection: statement by statement, with places, timing and tidy settings.

Statement by statement, because most of PostgreSQL's errors carry no position and some drivers
refuse several statements at once. It takes an eighth longer than one message for a whole script.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

from alembic_rollback import direct
from alembic_rollback.errors import StatementError
from alembic_rollback.progress import PLACE
from alembic_rollback.sql.parser import Statement

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.sql.script import Script

UNSAFE_USE_OF_NEW_VALUE = "55P04"
"""SQLSTATE: of an enum value, in the transaction that adds it."""

Progress = Callable[[int, Statement], None]
Execute = Callable[["Connection", Statement, int, int], None]
"""Runs a statement, the number-th of total; raises StatementError."""

# role and session_authorization are hidden from pg_settings, as are settings with a dot in their
# name that no loaded extension has defined.
_SETTINGS = (
    "SELECT name, setting FROM pg_settings WHERE context IN ('user', 'superuser') "
    "AND name NOT IN ('transaction_isolation', 'transaction_read_only', 'transaction_deferrable') "
    "UNION ALL SELECT 'session_authorization', current_setting('session_authorization') "
    "UNION ALL SELECT 'role', current_setting('role')"
)


def run_script(
    connection: Connection,
    script: Script,
    *,
    held: Mapping[str, tuple[str, str]] | None = None,
    progress: Progress | None = None,
    each: Execute | None = None,
) -> int:
    """Run every statement of a script; return how long they took, in milliseconds.

    held: settings that the run itself has set for its transaction, as name → (the session's value,
    the run's value); both are put back if the script changes them. The script reaches the driver
    untouched: no parameter style is interpreted. each: runs one statement, instead of `execute`.
    Raises StatementError with the place of the
    statement that failed; the driver's exception is its cause.
    """
    session = script.session
    keep = _settings_restored(connection, session.custom, held or {})
    with keep if session.changed else nullcontext():
        started = time.perf_counter()
        run = each or execute
        for number, statement in script.numbered:
            if progress:
                progress(number, statement)
            run(connection, statement, number, script.total)
        return round((time.perf_counter() - started) * 1000)


def run_and_commit(connection: Connection, script: Script) -> str | None:
    """Run a script for good on a connection without a transaction; why outside of one, or None.

    In a transaction if it can be, else statement by statement; also one that uses an enum value
    which it adds, which PostgreSQL refuses inside a transaction. Raises StatementError.
    """
    if script.transactional:
        try:
            with connection.begin():
                run_script(connection, script)
            return None
        except StatementError as error:
            if error.sqlstate != UNSAFE_USE_OF_NEW_VALUE:
                raise
    with autocommit(connection):
        run_script(connection, script)
    return script.outside or "it uses an enum value that it adds"


@contextmanager
def autocommit(connection: Connection) -> Iterator[None]:
    """Commit each statement, until the end of the block."""
    connection.execution_options(isolation_level="AUTOCOMMIT")
    try:
        with connection.begin():  # for SQLAlchemy; the driver begins nothing
            yield
    finally:
        connection.execution_options(isolation_level=connection.default_isolation_level)


def execute(connection: Connection, statement: Statement, number: int, total: int) -> None:
    """Run one statement of a script, the number-th of total. Raises StatementError."""
    from sqlalchemy.exc import DBAPIError

    try:
        direct.execute(connection, statement.text, {PLACE: (number, total)})
    except DBAPIError as error:
        raise _statement_error(error, statement, number, total) from error


def _statement_error(error: Any, statement: Statement, number: int, total: int) -> StatementError:
    told = describe(error)
    position = told.pop("position")
    where = statement.locate(int(position)) if position else statement.where
    message = str(told.pop("message"))
    return StatementError(
        message, where=where, statement=statement.text, ordinal=number, total=total, **told
    )


def describe(error: Any) -> dict[str, Any]:
    """Message, sqlstate, detail, hint and position of a DBAPI error, in every driver's way.

    psycopg and psycopg2 keep them in `diag`, asyncpg as attributes of the cause, pg8000 in a dict
    of one-letter protocol fields (PostgreSQL, Error and Notice Message Fields).
    """
    origin = getattr(error, "orig", None) or error
    diag = getattr(origin, "diag", None)
    if diag is not None and diag.message_primary:
        found = {
            "message": diag.message_primary,
            "sqlstate": diag.sqlstate,
            "detail": diag.message_detail,
            "hint": diag.message_hint,
            "position": diag.statement_position,
        }
    elif origin.args and isinstance(origin.args[0], dict):
        fields = origin.args[0]
        letters = {"message": "M", "sqlstate": "C", "detail": "D", "hint": "H", "position": "P"}
        found = {name: fields.get(letter) for name, letter in letters.items()}
    else:
        cause = origin.__cause__ or origin
        found = {
            "message": getattr(cause, "message", None) or str(cause).strip().splitlines()[0],
            "sqlstate": getattr(cause, "sqlstate", None),
            "detail": getattr(cause, "detail", None),
            "hint": getattr(cause, "hint", None),
            "position": getattr(cause, "position", None),
        }
    remedy = _REMEDIES.get(str(found["sqlstate"])) or _right_needed(str(found["message"]))
    found["hint"] = remedy or found["hint"]
    return found


def _right_needed(message: str) -> str | None:
    """PostgreSQL names the object, but not the right: see GRANT, and "Privileges"."""
    match = re.match(r"permission denied for (schema|database|table|view|sequence) (.+)", message)
    return _RIGHTS[match[1]].format(f"{match[1]} {match[2]}") if match else None


_ROWS = (
    "The role lacks a right on {}: SELECT to read it, INSERT, UPDATE, DELETE or TRUNCATE to change "
    "it, REFERENCES for a foreign key to it, TRIGGER for a trigger on it."
)
_RIGHTS = {
    "schema": "The role lacks a right: CREATE on {0} to make something in it, or USAGE on {0} to "
    "use what is there.",
    "database": "The role lacks CREATE on {}, which schemas and extensions need.",
    "table": _ROWS,
    "view": _ROWS,
    "sequence": "The role lacks a right on {}: USAGE for nextval, SELECT to read it, UPDATE for "
    "setval.",
}


_REMEDIES = {
    "55P04": "PostgreSQL cannot use an enum value in the transaction that adds it: put ADD VALUE "
    "into a revision of its own and run with transaction_per_migration = True in env.py, or write "
    "`-- Transaction: none` at the top of that file.",
    "53200": "The server's lock table is full: run fewer revisions in one transaction "
    "(transaction_per_migration = True in env.py, --transaction each for rollback-db), or raise "
    "max_locks_per_transaction.",
}


@contextmanager
def _settings_restored(
    connection: Connection, custom: frozenset[str], held: Mapping[str, tuple[str, str]]
) -> Iterator[None]:
    before = _settings(connection, custom)
    try:
        yield
    except BaseException:
        # In a transaction the error has undone the settings, too, and nothing can be run.
        with suppress(Exception):
            _restore(connection, before, custom, held)
        raise
    _restore(connection, before, custom, held)


def _restore(
    connection: Connection,
    before: Mapping[str, str],
    custom: frozenset[str],
    held: Mapping[str, tuple[str, str]],
) -> None:
    after = _settings(connection, custom)
    # The role first: with another one, setting the others may not be allowed.
    for name in sorted(after, key=lambda name: name not in ("session_authorization", "role")):
        if name in held:
            session, ours = held[name]
            _set(connection, name, session, local=False)
            _set(connection, name, ours, local=True)
        elif name in before and after[name] != before[name]:
            _set(connection, name, before[name], local=False)


def _settings(connection: Connection, custom: frozenset[str]) -> dict[str, str]:
    """Name → value of everything that a script may have changed.

    custom: names with a dot, which pg_settings doesn't list before their extension is loaded.
    """
    from sqlalchemy import text

    rows = connection.exec_driver_sql(_SETTINGS, execution_options={"no_parameters": True})
    found = {row[0]: row[1] for row in rows}
    query = text("SELECT current_setting(:name, true)")
    for name in custom:
        found[name] = connection.execute(query, {"name": name}).scalar() or ""
    return found


def _set(connection: Connection, name: str, value: str, *, local: bool) -> None:
    from sqlalchemy import text

    connection.execute(
        text("SELECT set_config(:name, :value, :local)"),
        {"name": name, "value": value, "local": local},
    )
