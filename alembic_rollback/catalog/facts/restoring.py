"""Turning a database back into a snapshot, by SQL that is run as it is found.

In rounds: the catalog is compared with the snapshot, what leads back is planned and run, and the
catalog is looked at again, until nothing differs. So names that a first round has given back
stand in the texts of the second, and nothing is believed that the server hasn't done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.comparison import Difference, compare
from alembic_rollback.catalog.facts.planning import Plan, plan
from alembic_rollback.catalog.facts.reading import read
from alembic_rollback.catalog.facts.registry import NotRestorable

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.catalog.facts.memory import Memory
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

_ROUNDS = 12
_INITIAL = (
    "SELECT set_config('role', 'none', true), set_config('search_path', "
    "(SELECT reset_val FROM pg_settings WHERE name = 'search_path'), true)"
)
_UNCHECKED = "SET LOCAL check_function_bodies = off"


@dataclass(frozen=True)
class Restored:
    """What restoring took, and how far it came."""

    statements: tuple[str, ...]
    """In the order in which they ran, without semicolons."""
    made: tuple[Fact, ...]
    """Tables and columns that were made anew: their rows and values aren't restored."""
    left: tuple[Difference, ...]
    """What still differs; columns that only changed places are `order`."""
    failure: str = ""
    """PostgreSQL's message where a statement failed; it was undone, with those of its round."""


def restore(
    connection: Connection,
    wanted: Snapshot,
    *,
    same: bool = True,
    prepared: bool = False,
    memory: Memory | None = None,
) -> Restored:
    """Turn the connected database into the snapshot; within the transaction that it is in.

    For the rest of the transaction, search_path and role are those that a session starts with:
    the statements are for such a session.

    same: the snapshot is of this database, or of the one that it is a copy of, so that oids tell
    which object is which, whatever its name is by now. prepared, memory: as for `read`.
    """
    statements: list[str] = []
    made: list[Fact] = []
    left: tuple[Difference, ...] = ()
    connection.exec_driver_sql(_INITIAL)
    for _ in range(_ROUNDS):
        current = read(connection, prepared=prepared, memory=memory)
        left = compare(wanted, current)
        if all(one.lasting for one in left):
            break
        try:
            steps = plan(current, wanted, same=same)
        except NotRestorable as error:
            return Restored(tuple(statements), tuple(made), left, str(error))
        if not steps.statements:
            break
        ran, failure = _run(connection, steps)
        statements += ran
        if failure:
            return Restored(tuple(statements), tuple(made), left, failure)
        made += steps.made
    return Restored(tuple(statements), tuple(made), left)


def _run(connection: Connection, steps: Plan) -> tuple[list[str], str]:
    statements = list(steps.statements)
    failure = _attempt(connection, statements)
    if failure and steps.routines:
        # A body may name what isn't there yet, or isn't there any more.
        statements = [_UNCHECKED, *statements]
        failure = _attempt(connection, statements)
    return ([] if failure else statements), failure


def _attempt(connection: Connection, statements: list[str]) -> str:
    """Run all or nothing; PostgreSQL's message where one failed."""
    from sqlalchemy.exc import DBAPIError

    savepoint = connection.begin_nested()
    for sql in statements:
        try:
            connection.exec_driver_sql(sql, execution_options={"no_parameters": True}).close()
        except DBAPIError as error:
            savepoint.rollback()
            return f"{' '.join(str(error.orig).split())} ({sql})"
    savepoint.commit()
    return ""
