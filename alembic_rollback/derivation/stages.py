"""Databases right before a revision, to try things on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from alembic_rollback.catalog.facts.memory import Memory
from alembic_rollback.catalog.facts.reading import read
from alembic_rollback.runner import execute, run_and_commit, run_script

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

    from alembic_rollback.catalog.facts.model import Snapshot
    from alembic_rollback.sql.parser import Statement
    from alembic_rollback.sql.script import Script


class Stage(Protocol):
    """A database right before the revision, to do as one likes with."""

    @property
    def memory(self) -> Memory:
        """Earlier readings of its catalog."""

    def run(self, script: Script) -> None:
        """Run a script as an upgrade would. Raises StatementError."""

    def step(self, statement: Statement, number: int, total: int) -> None:
        """Run one statement, and stay behind it. Raises StatementError."""

    def look(self) -> AbstractContextManager[Connection]:
        """A connection in a transaction that is rolled back at the end."""


Site = Callable[[], AbstractContextManager[Stage]]
"""Gives a fresh stage each time that it is called."""


@dataclass
class Inside:
    """A stage within one transaction: quick, and nothing of it is left."""

    connection: Connection
    memory: Memory

    def run(self, script: Script) -> None:
        """Run a script in the transaction."""
        # ALTER DOMAIN … DROP CONSTRAINT leaves messages for caches behind: until the next command,
        # or the end of a savepoint around it, PostgreSQL can't start one that changes anything.
        with self.connection.begin_nested():
            run_script(self.connection, script)
        _discard_temporary(self.connection)

    def step(self, statement: Statement, number: int, total: int) -> None:
        """Run one statement in the transaction."""
        domain = statement.kind == "AlterDomainStmt"
        with self.connection.begin_nested() if domain else nullcontext():
            execute(self.connection, statement, number, total)

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """Use the connection, in a savepoint."""
        savepoint = self.connection.begin_nested()
        try:
            yield self.connection
        finally:
            savepoint.rollback()


def _discard_temporary(connection: Connection) -> None:
    """Temporary tables go, as they do when an upgrade's session ends."""
    connection.exec_driver_sql("DISCARD TEMP")


def inside(connection: Connection, memory: Memory | None = None) -> Site:
    """Stages in the transaction of a connection, each rolled back at its end.

    memory: earlier readings of the database, which spare most of each further one.
    """
    memory = Memory() if memory is None else memory

    @contextmanager
    def stage() -> Iterator[Stage]:
        savepoint = connection.begin_nested()
        try:
            yield Inside(connection, memory)
        finally:
            savepoint.rollback()

    return stage


@dataclass
class Outside:
    """A stage in a database of its own, for what PostgreSQL refuses inside a transaction."""

    engine: Engine
    running: Connection
    looking: Connection
    """Of its own, so that it keeps its prepared queries; idle in between."""
    memory: Memory = field(default_factory=Memory)

    def run(self, script: Script) -> None:
        """Run a script in a transaction if it can be, else statement by statement."""
        with self.engine.connect() as connection:
            run_and_commit(connection, script)

    def step(self, statement: Statement, number: int, total: int) -> None:
        """Run one statement, and commit."""
        execute(self.running, statement, number, total)

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """Use another connection, in a transaction."""
        with self.looking.begin() as transaction:
            try:
                yield self.looking
            finally:
                transaction.rollback()


def outside(copy: Callable[[], AbstractContextManager[Engine]]) -> Site:
    """Stages in copies of a database. copy: makes one, and removes it at the end."""

    @contextmanager
    def stage() -> Iterator[Stage]:
        with copy() as engine, engine.connect() as running, engine.connect() as looking:
            running.execution_options(isolation_level="AUTOCOMMIT")
            yield Outside(engine, running, looking)

    return stage


def look_at(stage: Stage, *, edges: bool = False) -> Snapshot:
    """The catalog of a stage as it is now. edges: also what needs what."""
    with stage.look() as connection:
        return read(connection, edges=edges, prepared=True, memory=stage.memory)
