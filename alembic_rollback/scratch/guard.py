"""Looks at what is to run in a scratch database: is all of it there, does it stay there?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from alembic_rollback.scratch import statements as reading
from alembic_rollback.scratch.errors import (
    UNTOUCHED,
    MissingExtension,
    MissingRole,
    NotOnScratch,
    SharedServer,
)
from alembic_rollback.sql.names import quote_always

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.errors import Location
    from alembic_rollback.sql.parser import Statement


class Guard:
    """Looks at statements, with a connection of its own to see what the server has."""

    def __init__(self, admin: Connection, *, shared: bool) -> None:
        self._admin, self._shared = admin, shared
        self._lock = RLock()

    def require(self, statements: Sequence[Statement]) -> None:
        """Refuse statements that cannot run on this server; change nothing.

        Raises NotOnScratch, SharedServer, MissingExtension or MissingRole.
        """
        for statement in statements:
            self._refuse_reach(statement)
        with self._lock:
            self._require_extensions(statements)
            if self._shared:
                self._require_roles(statements)

    def admit(self, statements: Sequence[Statement], connection: Connection) -> None:
        """Refuse them likewise, and on a server of our own make the roles and databases named.

        connection: the one that they will run on. It sees the roles that its transaction has made,
        and can make more without waiting for itself; but it may have become another role.
        """
        self.require(statements)
        if not self._shared:
            with self._lock:
                self._make_roles(_named(statements), connection)
                self._make_databases(_all(reading.named_databases, statements))

    def make_roles(self, statements: Sequence[Statement]) -> None:
        """On a server of our own, make the roles that a script names but doesn't make."""
        if not self._shared:
            with self._lock:
                self._make_roles(_named(statements), self._admin)

    def roles(self) -> frozenset[str] | None:
        """The roles of a server of our own; None for another, whose roles never change."""
        with self._lock:
            return None if self._shared else _existing_roles(self._admin)

    def forget_roles(self, before: frozenset[str] | None) -> None:
        """Drop the roles that were made since, where nothing else needs them."""
        if before is None:
            return
        with self._lock:
            for name in _existing_roles(self._admin) - before:
                with suppress(Exception):  # something else needs it
                    _run(self._admin, f"DROP ROLE {quote_always(name)}")

    def _make_roles(self, names: frozenset[str], connection: Connection) -> None:
        missing = names and names - _existing_roles(connection)
        if not missing:
            return
        superuser = connection.exec_driver_sql("SHOW is_superuser").scalar_one() == "on"
        for name in sorted(missing):
            maker = connection if superuser else self._admin
            _run(maker, f"CREATE ROLE {quote_always(name)} NOLOGIN")

    def _make_databases(self, names: frozenset[str]) -> None:
        """Make the database that a project calls by its name: `GRANT CONNECT ON DATABASE shop`."""
        if names:
            rows = self._admin.exec_driver_sql("SELECT datname FROM pg_database")
            for name in sorted(names - {row[0] for row in rows}):
                _run(self._admin, f"CREATE DATABASE {quote_always(name)} TEMPLATE template0")

    def _refuse_reach(self, statement: Statement) -> None:
        where = _where(statement)
        if what := reading.reaching_out(statement):
            raise NotOnScratch(
                f"{what} reaches beyond the server, so it isn't tried.",
                where=where,
                state=UNTOUCHED,
            )
        if self._shared and (what := reading.cluster_wide(statement)):
            raise SharedServer(
                f"{what}: the scratch server's other databases would see it.",
                where=where,
                state=UNTOUCHED,
                next_step="Leave the scratch URL out: an embedded server is nobody else's.",
            )

    def _require_extensions(self, statements: Iterable[Statement]) -> None:
        wanted = {n: s for s in statements if (n := reading.wanted_extension(s))}
        if not wanted:
            return
        rows = self._admin.exec_driver_sql("SELECT name FROM pg_available_extensions")
        found = {row[0] for row in rows}
        if missing := [name for name in wanted if name not in found]:
            raise MissingExtension(missing, _where(wanted[missing[0]]))

    def _require_roles(self, statements: Sequence[Statement]) -> None:
        if not _all(reading.named_roles, statements):
            return
        existing = _existing_roles(self._admin)
        for statement in statements:
            if missing := sorted(reading.named_roles(statement) - existing):
                raise MissingRole(missing, _where(statement))


def _all(
    read: Callable[[Statement], frozenset[str]], statements: Iterable[Statement]
) -> frozenset[str]:
    return frozenset[str]().union(*map(read, statements))


def _named(statements: Sequence[Statement]) -> frozenset[str]:
    """The roles that statements name but don't make."""
    made = {one.node.role for one in statements if one.kind == "CreateRoleStmt"}
    return _all(reading.named_roles, statements) - made


def _existing_roles(connection: Connection) -> frozenset[str]:
    rows = connection.exec_driver_sql("SELECT rolname FROM pg_roles")
    return frozenset(row[0] for row in rows)


def _run(connection: Connection, statement: str) -> None:
    """Run it as it is: a name may hold what a driver takes for a parameter."""
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def _where(statement: Statement) -> Location | None:
    """The place in a file; None where the statement came from no file."""
    return None if statement.where.path == Path() else statement.where
