"""Databases that stand right before a revision, and how to try a script on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from alembic_rollback.catalog.facts.comparison import compare
from alembic_rollback.catalog.facts.memory import Memory
from alembic_rollback.catalog.facts.reading import read
from alembic_rollback.catalog.facts.restoring import restore
from alembic_rollback.derivation import Site, inside, outside
from alembic_rollback.errors import RollbackError
from alembic_rollback.scratch import ScratchDatabase, ScratchServer, scratch_server
from alembic_rollback.scratch.connecting import explained, open_engine, usable
from alembic_rollback.scratch.sharing import make_shared_schemas

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

    from alembic_rollback.catalog.facts.model import Snapshot
    from alembic_rollback.sql.script import Script


_PG_SUBSCRIPTION = 6100
"""A system catalog's oid never changes."""


class Ground(Protocol):
    """A database right before a revision."""

    @property
    def version(self) -> str:
        """PostgreSQL's: `18.6`."""

    def site(self, script: Script, *, whole: bool) -> AbstractContextManager[Site]:
        """Where to try a script.

        whole: within one transaction, which is quick; else in copies of the database. Raises
        NotOnScratch for what must not be tried.
        """


class Scratch:
    """A scratch database. One session serves every revision: it keeps its prepared queries, and
    of each only what it changes is read.
    """

    def __init__(self, server: ScratchServer, database: ScratchDatabase) -> None:
        self.server, self.database = server, database
        self._stack = ExitStack()
        self._session: Connection | None = None
        self._memory = Memory()

    @property
    def version(self) -> str:
        """PostgreSQL's version."""
        return self.server.version

    @contextmanager
    def site(self, script: Script, *, whole: bool) -> Iterator[Site]:
        """Where to try a script."""
        self.server.admit(script)
        if not whole:
            yield outside(self._copy)
            return
        if self._session is None:
            engine = self._stack.enter_context(self.database.engine())
            self._session = self._stack.enter_context(engine.connect())
        with _rolled_back(self._session, self._memory, script) as site:
            yield site

    def tidy(self) -> None:
        """Remove what rolled-back transactions have left in the catalogs, which slows reading."""
        with self.database.engine() as engine:
            options = {"isolation_level": "AUTOCOMMIT"}
            with engine.connect().execution_options(**options) as connection:
                connection.exec_driver_sql("VACUUM")

    def close(self) -> None:
        """Close the session."""
        self._session = None
        self._stack.close()

    @contextmanager
    def _copy(self) -> Iterator[Engine]:
        self.close()
        with self.server.clone(self.database) as clone, clone.engine() as engine:
            yield engine


@dataclass
class Given:
    """A throw-away database that somebody else has made."""

    url: str
    version: str = ""
    memory: Memory = field(default_factory=Memory)

    @contextmanager
    def site(self, script: Script, *, whole: bool) -> Iterator[Site]:
        """Where to try a script; copies are made beside the database."""
        if not whole:
            yield outside(self._copy)
            return
        engine = open_engine(usable(self.url))
        try:
            with explained("Cannot connect to the database of --before-url"):
                self.version = _version(engine)
            with (
                engine.connect() as connection,
                _rolled_back(connection, self.memory, script) as site,
            ):
                yield site
        finally:
            engine.dispose()

    @contextmanager
    def _copy(self) -> Iterator[Engine]:
        with scratch_server(self.url) as server:
            self.version = server.version
            name = usable(self.url).database or "postgres"
            with server.clone(name) as clone, clone.engine() as engine:
                yield engine


def _version(engine: Engine) -> str:
    with engine.connect() as connection:
        return str(connection.exec_driver_sql("SHOW server_version").scalar_one()).split()[0]


@contextmanager
def _rolled_back(connection: Connection, memory: Memory, script: Script) -> Iterator[Site]:
    with connection.begin() as transaction:
        try:
            make_shared_schemas(connection, script)
            yield inside(connection, memory)
        finally:
            transaction.rollback()


def copy_schema(snapshot: Snapshot, database: ScratchDatabase) -> str:
    """Make the schema of a snapshot in an empty scratch database; why not, where it can't be."""
    kept = {
        one: fact
        for one, fact in snapshot.facts.items()
        if one.classid != _PG_SUBSCRIPTION  # what it brings comes from another server
    }
    snapshot = replace(snapshot, facts=kept)
    try:
        with database.connect() as connection, connection.begin():
            memory = Memory()
            restored = restore(connection, snapshot, same=False, memory=memory)
            left = compare(snapshot, read(connection, edges=False, memory=memory))
    except RollbackError as error:
        return error.what
    if restored.failure:
        return restored.failure
    return f"{left[0].fact.kind} {left[0].fact.key} could not be copied" if left else ""
