"""Stops a command right before a statement, a COMMIT or a ROLLBACK, in the transaction as it is.

env.py of the crash projects passes its engine through `watched`. The stop is a statement of its
own on the same connection, a sleep that names the boundary: whoever sees it in pg_stat_activity
knows that the command stands there, and nowhere else.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from sqlalchemy import Engine, event

SECONDS = 600
"""Longer than any case: whoever stops here is killed here."""

# env.py is run several times in one command, this module is imported once.
_passed = 0


def marker(number: int | str = "%") -> str:
    """What the stop's statement looks like in pg_stat_activity, as a pattern for LIKE."""
    return f"/* boundary {number} */"


def watched(engine: Engine) -> Engine:
    """Count every boundary on the connections of an engine, and stop at the chosen one.

    CRASH_STOP is its number, CRASH_STOP_AT a part of what comes next there; CRASH_TRACE names a
    file that gets a line for each boundary.
    """
    event.listen(engine, "before_cursor_execute", _before_execute)
    event.listen(engine, "commit", _before_commit)
    event.listen(engine, "rollback", _before_rollback)
    event.listen(engine, "checkin", _before_leaving)
    return engine


def _before_execute(
    connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
) -> None:
    _pass(cursor.connection, " ".join(statement.split()))


def _before_commit(connection: Any) -> None:
    _pass_ending(connection, "COMMIT")


def _before_rollback(connection: Any) -> None:
    _pass_ending(connection, "ROLLBACK")


def _pass_ending(connection: Any, what: str) -> None:
    """The end of a transaction; an error goes the way that one of the COMMIT itself would go."""
    import psycopg2

    if connection.closed or connection.invalidated:
        return
    try:
        _pass(connection.connection.dbapi_connection, what)
    except psycopg2.Error as error:
        connection._handle_dbapi_exception(error, None, None, None, None)


def _before_leaving(driver: Any, record: Any) -> None:
    import psycopg2

    with suppress(psycopg2.Error):  # closing a dead connection is no error
        _pass(driver, "disconnect")


def _pass(driver: Any, what: str) -> None:
    global _passed
    if driver is None or driver.closed or _failed(driver):
        return
    _passed += 1
    if path := os.environ.get("CRASH_TRACE"):
        with open(path, "a", encoding="utf-8") as trace:
            trace.write(f"{what}\n")
    if _is_chosen(what):
        with driver.cursor() as cursor:
            cursor.execute(f"SELECT pg_sleep({SECONDS}) {marker(_passed)}")


def _is_chosen(what: str) -> bool:
    text = os.environ.get("CRASH_STOP_AT")
    return _passed == int(os.environ.get("CRASH_STOP", "0")) or bool(text and text in what)


def _failed(driver: Any) -> bool:
    """Whether the transaction has failed: nothing can be run in it, so nobody can stop in it."""
    from psycopg2.extensions import TRANSACTION_STATUS_INERROR, TRANSACTION_STATUS_UNKNOWN

    status = driver.info.transaction_status
    return status in (TRANSACTION_STATUS_INERROR, TRANSACTION_STATUS_UNKNOWN)
