"""INSERT statements for composed rows, each in a savepoint, with triggers where they let it be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice, product
from typing import TYPE_CHECKING

from alembic_rollback.seeding.facts import Table, Unique, query, run
from alembic_rollback.sql.names import quote_always, quote_literal

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.seeding.options import Options, Row

_TRIES = 200
_ENABLE = {"O": "ENABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}


class NotSeeded(Exception):
    """There is no way to fill a table; the message says why."""


def compose(
    groups: Sequence[Options], uniques: Iterable[Unique], need: int, spare: int
) -> list[Row]:
    """Rows that differ in every unique key: `need` of them, then more to try instead.

    The last of those that are needed has NULL wherever it may.
    """
    picked = _Picked(uniques)
    full, null = [one.full for one in groups], [one.null for one in groups]
    rows = picked.some(_mixed(full, 0), max(need - 1, 1))
    if need > 1:
        rows += picked.some(_mixed(null, need - 1), 1)
    rows += picked.some(_mixed(full, 0), need + spare - len(rows))
    return rows + picked.some(_mixed(null, need), spare)


def _mixed(groups: Sequence[Sequence[Row]], start: int) -> Iterator[Row]:
    """Rows with an option of each group: along the diagonal first, then every combination."""
    if not all(groups):
        return
    for number in range(start, start + _TRIES):
        yield _joined(options[number % len(options)] for options in groups)
    for some in islice(product(*(options[:8] for options in groups)), _TRIES):
        yield _joined(some)


def _joined(parts: Iterable[Row]) -> Row:
    return {name: value for part in parts for name, value in part.items()}


class _Picked:
    """The rows so far, by their unique keys."""

    def __init__(self, uniques: Iterable[Unique]) -> None:
        self.uniques = list(uniques)
        self.taken: set[tuple[int, tuple[str | None, ...]]] = set()

    def some(self, rows: Iterator[Row], many: int) -> list[Row]:
        found: list[Row] = []
        while len(found) < many and (row := next(rows, None)) is not None:
            keys = list(self._keys(row))
            if not self.taken.intersection(keys):
                self.taken.update(keys)
                found.append(row)
        return found

    def _keys(self, row: Row) -> Iterator[tuple[int, tuple[str | None, ...]]]:
        for number, unique in enumerate(self.uniques):
            # A column that is left to its sequence makes the key unique by itself.
            if all(name in row for name in unique.columns):
                key = tuple(row[name] for name in unique.columns)
                if None not in key or not unique.nulls_distinct:
                    yield number, key


def insert_sql(table: Table, rows: Sequence[Row]) -> str:
    """One INSERT of all the rows."""
    columns = list(rows[0])
    if not columns:
        return _insert_defaults(table, len(rows))
    own = any(table.columns[name].next for name in columns)
    values = ", ".join(
        f"({', '.join(quote_literal(row[name]) for name in columns)})" for row in rows
    )
    return (
        f"INSERT INTO {table.quoted} ({', '.join(map(quote_always, columns))}) "
        f"{'OVERRIDING SYSTEM VALUE ' if own else ''}VALUES {values}"
    )


def _insert_defaults(table: Table, rows: int) -> str:
    if not table.columns:
        return f"INSERT INTO {table.quoted} SELECT FROM generate_series(1, {rows})"
    first = quote_always(next(iter(table.columns)))
    return f"INSERT INTO {table.quoted} ({first}) VALUES {', '.join(['(DEFAULT)'] * rows)}"


def insert(connection: Connection, table: Table, rows: Sequence[Row], need: int) -> int:
    """Insert up to `need` of the rows: together if that works, else one by one.

    Raises NotSeeded with the server's message where not one of them was taken.
    """
    try:
        return _insert(connection, table, rows[:need])
    except NotSeeded as error:
        reason = error
    taken = 0
    for row in rows:
        if taken == need:
            break
        try:
            taken += _insert(connection, table, [row])
        except NotSeeded as error:
            reason = error
    if not taken:
        raise reason
    return taken


def _insert(connection: Connection, table: Table, rows: Sequence[Row]) -> int:
    from sqlalchemy.exc import DBAPIError

    try:
        with connection.begin_nested():
            arrived = run(connection, insert_sql(table, rows))
            if arrived not in (-1, len(rows)):
                raise NotSeeded(f"{arrived} of {len(rows)} rows arrived: a trigger or rule")
    except DBAPIError as error:
        raise NotSeeded(message(error)) from None
    return len(rows)


def insert_together(connection: Connection, rows: Sequence[tuple[Table, Sequence[Row]]]) -> None:
    """Insert into tables that need each other, in one statement: keys are checked at its end.

    Raises NotSeeded with the server's message; then nothing was inserted.
    """
    from sqlalchemy.exc import DBAPIError

    parts = [
        f'"{place}" AS ({insert_sql(table, some)} RETURNING 1)'
        for place, (table, some) in enumerate(rows)
    ]
    counts = ", ".join(f'(SELECT count(*) FROM "{place}")' for place in range(len(rows)))
    try:
        with connection.begin_nested():
            (arrived,) = query(connection, f"WITH {', '.join(parts)} SELECT {counts}")
            if list(arrived) != [len(some) for _, some in rows]:
                raise NotSeeded("not all rows arrived: a trigger or rule")
    except DBAPIError as error:
        raise NotSeeded(message(error)) from None


@contextmanager
def quiet(connection: Connection, tables: Iterable[Table]) -> Iterator[None]:
    """Disable users' triggers and rules, and give each the state that it had.

    All in a savepoint: on an error nothing of it has happened. Raises NotSeeded where the role
    may not.
    """
    from sqlalchemy.exc import DBAPIError

    switched = [(table, switch) for table in tables for switch in table.switches]
    try:
        with connection.begin_nested():
            for table, switch in switched:
                _alter(connection, table, f"DISABLE {switch.kind} {quote_always(switch.name)}")
            yield
            for table, switch in switched:
                enable = f"{_ENABLE[switch.state]} {switch.kind} {quote_always(switch.name)}"
                _alter(connection, table, enable)
    except DBAPIError as error:
        raise NotSeeded(message(error)) from None


def _alter(connection: Connection, table: Table, action: str) -> None:
    run(connection, f"ALTER TABLE ONLY {table.quoted} {action}")


def message(error: Exception) -> str:
    """What the server said, in one line: psycopg has it in `diag`, asyncpg in the cause."""
    original = getattr(error, "orig", None) or error
    primary = getattr(getattr(original, "diag", None), "message_primary", None)
    cause = original.__cause__ or original
    return str(primary or getattr(cause, "message", None) or cause).partition("\n")[0]
