"""Up, down and up again, and within one transaction if that can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.comparison import Difference, compare
from alembic_rollback.runner import run_script
from alembic_rollback.scratch.statements import cluster_wide, named_databases, named_roles
from alembic_rollback.survival import Loss, Rows, lost, remember

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.catalog.facts.model import Snapshot
    from alembic_rollback.model import Revision
    from alembic_rollback.sql.parser import Statement
    from alembic_rollback.sql.script import Script as SqlScript
from alembic_rollback.verification.filling import Filled, fill, positions, query, set_positions
from alembic_rollback.verification.outcomes import (
    DIFFERS,
    DOWN_FAILS,
    REORDERED,
    UP_FAILS,
    UP_FAILS_AGAIN,
    VERIFIED,
    Judged,
)


@dataclass
class Trial:
    """Up, down and up again, wherever that is."""

    revision: Revision
    before: Snapshot
    up: Callable[[], None]
    down: Callable[[], None]
    look: Callable[[], Snapshot]
    fill: Callable[[], Filled] | None = None
    rows_left: Callable[[Rows, Sequence[tuple[str, str]]], Rows] | None = None
    blame: bool = False
    """Look at the rows after the up, too."""
    stage: str = UP_FAILS
    """What an error would mean now."""
    after: Snapshot | None = None

    def run(self) -> Judged:
        """Try it. Raises what up and down raise; `stage` says what that means."""
        filled = self.fill() if self.fill else None
        self.up()
        self.after = self.look()
        taken = self._lost(filled) if self.blame else ()
        self.stage = DOWN_FAILS
        self.down()
        found = self._judged(compare(self.before, self.look()))
        if filled:
            found = replace(found, lost=self._lost(filled), taken=taken, unseeded=filled.unseeded)
        if found.outcome == DIFFERS:
            return found
        self.stage = UP_FAILS_AGAIN
        self.up()
        again = tuple(one for one in compare(self.after, self.look()) if one.how != "order")
        return replace(found, outcome=DIFFERS, differences=again, again=True) if again else found

    def _lost(self, filled: Filled | None) -> tuple[Loss, ...]:
        if not filled or not self.rows_left:
            return ()
        return lost(filled.rows, self.rows_left(filled.rows, filled.without))

    def _judged(self, differences: tuple[Difference, ...]) -> Judged:
        if any(one.how != "order" for one in differences):
            outcome = DIFFERS
        else:
            outcome = REORDERED if differences else VERIFIED
        return Judged(self.revision, outcome, differences=differences)


@dataclass(frozen=True)
class Sides:
    """A pair's scripts."""

    up: SqlScript
    down: SqlScript

    @property
    def transactional(self) -> bool:
        """Whether both can be run in a transaction."""
        return self.up.transactional and self.down.transactional

    @property
    def wide(self) -> bool:
        """Whether something in them is seen by the server's other databases."""
        return any(map(cluster_wide, self._statements))

    @property
    def watched(self) -> bool:
        """Whether something may have to be made before they run."""
        return any(named_roles(one) or named_databases(one) for one in self._statements)

    @property
    def _statements(self) -> tuple[Statement, ...]:
        return (*self.up.statements, *self.down.statements)


@contextmanager
def rolled_back(connection: Connection) -> Iterator[None]:
    """A transaction that leaves nothing."""
    try:
        yield
    finally:
        connection.rollback()


@contextmanager
def undone(connection: Connection) -> Iterator[None]:
    """The same, and sequences stay where they stood: a rollback doesn't take them back."""
    before = positions(connection)
    try:
        with rolled_back(connection):
            yield
    finally:
        with suppress(Exception):  # the connection is lost, and the error is on its way
            set_positions(connection, before)


def run_inside(connection: Connection, script: SqlScript) -> None:
    """Run a script in the transaction that the connection is in."""
    run_script(connection, script)
    # As a commit would: what is deferred is checked, and no event holds up the next ALTER TABLE.
    query(connection, "SET CONSTRAINTS ALL IMMEDIATE")


_LOCKED = """
WITH RECURSIVE touched (oid) AS (
    SELECT l.relation FROM pg_locks l WHERE l.locktype = 'relation' AND l.pid = pg_backend_pid()
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.relation >= 16384
    UNION SELECT k.confrelid FROM pg_constraint k JOIN touched t ON k.conrelid = t.oid
    WHERE k.contype = 'f')
SELECT oid FROM touched
"""


def touched(connection: Connection, sides: Sides) -> set[int]:
    """The tables that a pair has to do with, by what it locks, and what their keys point at.

    They alone need rows. What a trigger does only when there is a row is not seen.
    """
    savepoint = connection.begin_nested()
    try:
        run_inside(connection, sides.up)
        run_inside(connection, sides.down)
        return {row[0] for row in query(connection, _LOCKED)}
    finally:
        savepoint.rollback()


@dataclass(frozen=True)
class CameBack:
    """What became of the rows of some tables by an up and its down."""

    kept: int
    """How many the up had kept for the down."""
    lost: tuple[Loss, ...]


def try_with_rows(
    connection: Connection, sides: Sides, keeps: Sequence[str], *, rows: int
) -> CameBack:
    """Run up and down with rows in the tables, in the transaction that the connection is in.

    keeps: the tables in which the up keeps rows, as one would write them in SQL. Raises
    StatementError where either cannot be run.
    """
    filled = fill(connection, rows, touched(connection, sides))
    run_inside(connection, sides.up)
    kept = sum(query(connection, f"SELECT count(*) FROM {table}")[0][0] for table in keeps)
    run_inside(connection, sides.down)
    left = remember(connection, known=filled.rows, without=filled.without)
    return CameBack(kept, lost(filled.rows, left))
