"""A statement straight to the driver, where nobody would notice.

SQLAlchemy takes twice as long as the driver to send a statement that returns nothing: it makes a
context, a result and room for everybody who listens. Where somebody does listen (events, echo,
notices), or its transaction isn't as it should be, the statement goes through SQLAlchemy.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_NOTICES = logging.getLogger("sqlalchemy.dialects.postgresql")
"""Where SQLAlchemy tells what the server has noticed."""


def execute(connection: Connection, sql: str, options: Mapping[str, Any] | None = None) -> None:
    """Run one statement as it stands: no parameter style is interpreted, rows are left.

    options: execution options, for those who listen. Raises DBAPIError as SQLAlchemy does.
    """
    if _is_heard(connection):
        _through_sqlalchemy(connection, sql, options or {}).close()
    else:
        _straight(connection, sql, lambda cursor: None)


def row(connection: Connection, sql: str) -> Sequence[Any]:
    """The same for a statement that returns one row."""
    if _is_heard(connection):
        found: Sequence[Any] = _through_sqlalchemy(connection, sql, {}).one()
        return found
    return tuple(_straight(connection, sql, lambda cursor: cursor.fetchone()))


def scalar(connection: Connection, sql: str) -> Any:
    """The same for a statement that returns one value."""
    return row(connection, sql)[0]


def changed_by_last(connection: Connection, statements: Iterable[str]) -> int | None:
    """Run statements in one message; return how many rows the last one has changed.

    None where nothing was run: somebody listens, or the driver takes only one at a time.
    """
    if _is_heard(connection) or connection.dialect.driver != "psycopg2":
        return None
    return int(_straight(connection, "; ".join(statements), lambda cursor: cursor.rowcount))


_OURS: list[tuple[str, Callable[..., None]]] = []


def listen(name: str, listener: Callable[..., None]) -> None:
    """Listen to an event of all engines, as one of us who only watches."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    event.listen(Engine, name, listener)
    _OURS.append((name, listener))


def stop_listening(name: str, listener: Callable[..., None]) -> None:
    """The opposite."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    _OURS.remove((name, listener))
    event.remove(Engine, name, listener)


def is_heard_by_others(connection: Connection) -> bool:
    """Whether somebody but us listens, who may run statements of his own on the connection."""
    from sqlalchemy.engine.events import ConnectionEvents, DialectEvents

    if not _has_events(connection):
        return False
    ours = [name for name, _ in _OURS]
    return any(
        sum(1 for _ in getattr(dispatch, name)) > ours.count(name)
        for events, dispatch in (
            (ConnectionEvents, connection.dispatch),
            (DialectEvents, connection.dialect.dispatch),
        )
        for name in vars(events)
        if not name.startswith("_") and name != "dispatch"
    )


def _through_sqlalchemy(connection: Connection, sql: str, options: Mapping[str, Any]) -> Any:
    return connection.exec_driver_sql(sql, execution_options={**options, "no_parameters": True})


def _is_heard(connection: Any) -> bool:
    transaction = connection.get_transaction()
    if transaction is None or not transaction.is_active or connection.in_nested_transaction():
        return True
    # Without these attributes, another SQLAlchemy: its own way is the safe one.
    return bool(
        not hasattr(connection, "_handle_dbapi_exception")
        or _has_events(connection)
        or getattr(connection, "_echo", True)
        or _NOTICES.isEnabledFor(logging.INFO)
    )


def _has_events(connection: Any) -> bool:
    """Whether somebody has ever listened, here or to all engines; as SQLAlchemy notes it itself."""
    return bool(
        getattr(connection, "_has_events", True)
        or getattr(connection.engine, "_has_events", True)
        or getattr(connection.dialect, "_has_events", True)
    )


def _straight(connection: Any, sql: str, take: Callable[[Any], Any]) -> Any:
    cursor = None
    try:
        cursor = connection.connection.cursor()
        connection.dialect.do_execute_no_params(cursor, sql, None)
        found = take(cursor)
        cursor.close()
    except BaseException as error:
        # Makes of it what it makes of its own: a DBAPIError; a lost connection is given up.
        connection._handle_dbapi_exception(error, sql, None, cursor, None)
        raise
    return found
