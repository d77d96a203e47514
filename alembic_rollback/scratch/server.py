"""The server that scratch databases are on, and the databases."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from alembic_rollback.errors import DatabaseError, ScriptSyntaxError
from alembic_rollback.scratch.connecting import explained, open_engine, usable
from alembic_rollback.scratch.guard import Guard
from alembic_rollback.sql.names import quote_always

if TYPE_CHECKING:
    from types import TracebackType

    from sqlalchemy.engine import URL, Connection, Engine

    from alembic_rollback.sql.parser import Statement
    from alembic_rollback.sql.script import Script

_SETTINGS = {
    "autovacuum": "off",
    "jit": "off",
    "max_connections": "40",
    "max_locks_per_transaction": "1024",  # thousands of small tables in one transaction
    "synchronous_commit": "off",
}
_CLONE_SECONDS = 10.0


class ScratchServer:
    """A server to make databases on; see :func:`scratch_server`."""

    def __init__(self, url: URL, admin: Connection, owner: int, *, shared: bool) -> None:
        self.shared = shared
        """Whether others use the server: what all its databases share must stay as it is."""
        self.version: str = _one(admin, "SHOW server_version").split()[0]
        """`18.6`."""
        self._url, self._admin, self._owner = url, admin, owner
        self._guard = Guard(admin, shared=shared)

    def create(self) -> ScratchDatabase:
        """Make an empty database: nothing of template1 is in it. Raises DatabaseError."""
        return self._make("template0")

    def clone(self, database: ScratchDatabase | str) -> ScratchDatabase:
        """Make a copy of a database, also of another one by its name, that nobody is connected to.

        Connections that are just being closed are waited for. Raises DatabaseError where one
        stays open.
        """
        name = database if isinstance(database, str) else database.name
        with explained("The scratch database could not be copied"):
            self._await_idle(name)
        return self._make(name)

    def drop(self, database: ScratchDatabase) -> None:
        """Remove a database, and the connections to it; nothing happens where it is gone.

        On a server of our own, the roles that were made since the database was go with it, except
        those that something needs.
        """
        from alembic_rollback.scratch.leftovers import drop

        database.dispose()
        with explained("The scratch database could not be dropped"):
            drop(self._admin, database.name)
        self._guard.forget_roles(database.roles)

    def require(self, script: Script) -> None:
        """Look at a whole script before any of it runs: does it have what it needs here?

        Raises MissingExtension with all that are missing; SharedServer, MissingRole or
        NotOnScratch with the statement's place. Roles that are missing on a server of our own are
        made when their statement runs.
        """
        self._guard.require(script.statements)

    def admit(self, script: Script) -> None:
        """What `require` does; and on a server of our own, make the roles that it names but not
        makes, so that it can be run on a connection of `ScratchDatabase.engine`.
        """
        self._guard.require(script.statements)
        self._guard.make_roles(script.statements)

    def close(self) -> None:
        """Remove every database that is still there."""
        from alembic_rollback.scratch.leftovers import drop_all

        drop_all(self._admin, self._owner)

    def _make(self, template: str) -> ScratchDatabase:
        from alembic_rollback.scratch.leftovers import new_name

        name, source = new_name(self._owner), quote_always(template)
        # A clone has its original's encoding; naming another would be refused.
        encoding = " ENCODING 'UTF8'" if template == "template0" else ""
        with explained("No scratch database could be made"):
            self._admin.exec_driver_sql(
                f"CREATE DATABASE {quote_always(name)} TEMPLATE {source}{encoding}"
            )
        return ScratchDatabase(self, name, self._url.set(database=name), self._guard)

    def _await_idle(self, name: str) -> None:
        """PostgreSQL would wait, too, but look ten times a second only."""
        from sqlalchemy import text

        query = text(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = :name AND backend_type = 'client backend' "
            "AND pid <> pg_backend_pid()"
        )
        deadline = time.monotonic() + _CLONE_SECONDS
        while connections := self._admin.execute(query, {"name": name}).scalar_one():
            if time.monotonic() > deadline:
                raise DatabaseError(
                    f"The scratch database cannot be copied: {connections} of its connections "
                    "stay open.",
                    next_step="Close them first.",
                )
            time.sleep(0.005)


class ScratchDatabase:
    """A database; leaving it as a context manager drops it."""

    def __init__(self, server: ScratchServer, name: str, url: URL, guard: Guard) -> None:
        self.server, self.name, self.url = server, name, url
        self.roles = guard.roles()
        """The server's roles when the database was made; None on a shared server."""
        self._guard = guard
        self._opened: Engine | None = None

    def connect(self) -> Connection:
        """Open a connection of its own, not pooled. Raises DatabaseError.

        Whatever runs on it is looked at: what may not run raises as
        :meth:`ScratchServer.require` does; missing roles are made first.
        """
        with explained("Cannot connect to the scratch database"):
            return self._engine.connect()

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """An engine whose connections nobody looks at: for what `ScratchServer.admit` has seen."""
        engine = open_engine(self.url)
        try:
            yield engine
        finally:
            engine.dispose()

    def dispose(self) -> None:
        """Forget the engine; connections that are still open stay so."""
        if self._opened is not None:
            self._opened.dispose()
            self._opened = None

    @property
    def _engine(self) -> Engine:
        if self._opened is None:
            from sqlalchemy import event

            self._opened = open_engine(self.url)
            event.listen(self._opened, "before_cursor_execute", self._look)
        return self._opened

    def _look(
        self,
        connection: Connection,
        cursor: Any,
        statement: str,
        parameters: Any,
        context: Any,
        many: bool,
    ) -> None:
        # What the driver will send: it may read parameters where none were given.
        as_it_is = context.no_parameters and not parameters
        if hasattr(cursor, "mogrify") and not many and not as_it_is:
            sent = cursor.mogrify(statement, parameters)
            statement = sent.decode() if isinstance(sent, bytes) else sent
        if len(statement) > _LONG or not _is_harmless(statement):
            self._guard.admit(_parsed(statement), connection)

    def __enter__(self) -> ScratchDatabase:
        """Return the database itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Drop it."""
        self.server.drop(self)


_LONG = 50_000
"""Characters of a statement that is none of ours: nothing of it is remembered."""


@lru_cache(maxsize=256)
def _is_harmless(text: str) -> bool:
    """Whether there is nothing to admit. The catalogs are asked the same all the time."""
    from alembic_rollback.scratch.statements import is_harmless

    return all(map(is_harmless, _parsed(text)))


def _parsed(text: str) -> tuple[Statement, ...]:
    from pathlib import Path

    from alembic_rollback.sql.parser import parse

    try:
        return parse(text, Path())
    except ScriptSyntaxError:
        return ()  # with a driver's parameters in it, or the server's to refuse


@contextmanager
def scratch_server(url: str = "") -> Iterator[ScratchServer]:
    """Give a server for scratch databases; all of them are removed in the end.

    url: SQLAlchemy's URL of a database on a server that we may make databases on (CREATEDB); that
    database is only connected to. Without one, an embedded server is started, which takes half a
    second. Raises DatabaseError where there is none, NotPostgreSQL for another kind.
    """
    with ExitStack() as stack:
        address = usable(url) if url else stack.enter_context(_embedded())
        admin = stack.enter_context(_admin(address))
        yield stack.enter_context(_owned(address, admin, shared=bool(url)))


@contextmanager
def _embedded() -> Iterator[URL]:
    from sqlalchemy import make_url

    from alembic_rollback import embedded

    try:
        server = embedded.start(settings=_SETTINGS)
    except embedded.EmbeddedError as error:
        raise DatabaseError(
            f"There is no server for scratch databases: {error}.",
            next_step="Or name one with --scratch-url; its role must be allowed to create "
            "databases.",
        ) from error
    with server:
        yield make_url(server.url("postgres"))


@contextmanager
def _admin(url: URL) -> Iterator[Connection]:
    engine = open_engine(url, isolation_level="AUTOCOMMIT")
    with explained("Cannot connect to the scratch server"):
        connection = engine.connect()
    try:
        yield connection
    finally:
        with suppress(Exception):  # it may be broken; the server has ended it then
            connection.close()


@contextmanager
def _owned(url: URL, admin: Connection, *, shared: bool) -> Iterator[ScratchServer]:
    from alembic_rollback.scratch.leftovers import claim, sweep
    from alembic_rollback.scratch.watcher import Watcher

    with explained("The scratch server cannot be used"):
        _prepare(admin, shared)
        owner = claim(admin)
        server = ScratchServer(url, admin, owner, shared=shared)
        if shared:
            sweep(admin)
    if not shared:  # the server goes with all its databases
        yield server
        return
    watcher = Watcher(url, owner)
    try:
        yield server
    finally:
        try:
            server.close()
        except BaseException:
            admin.invalidate()  # frees our number
            watcher.take_over()
            raise
        watcher.dismiss()


def _prepare(admin: Connection, shared: bool) -> None:
    if not shared:
        # A role that a transaction somewhere holds on to stays.
        admin.exec_driver_sql("SET lock_timeout = '5s'")
    elif int(_one(admin, "SHOW server_version_num")) >= 140_000:
        admin.exec_driver_sql("SET idle_session_timeout = 0")


def _one(connection: Connection, query: str) -> str:
    return str(connection.exec_driver_sql(query).scalar_one())
