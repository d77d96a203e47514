"""One runner at a time: advisory locks on the connection of the run.

Normally the transaction's own (pg_advisory_xact_lock): env.py commits after run_migrations has
returned, so a session lock released there would let the next runner see the state before. Where a
run commits in between, a session lock holds over the gaps (PostgreSQL, 13.3.5 Advisory Locks).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext

_TIMEOUTS = ("lock_timeout", "statement_timeout")


class RunnerLock:
    """The lock of one run of migrations."""

    def __init__(self, context: MigrationContext, key: int, *, session: bool) -> None:
        """session: the run commits in between, so the lock must outlive a transaction."""
        self.context, self.key, self.session = context, key, session

    @contextmanager
    def held(self) -> Iterator[None]:
        """Take the lock, waiting for whoever has it, and keep it for the run."""
        if self.session:
            self._wait("pg_advisory_lock")
            self._see_what_was_committed()
        elif self._sees_old_state():
            self._wait("pg_advisory_lock")
            self._see_what_was_committed()
            self._ask("pg_advisory_xact_lock")
            self._ask("pg_advisory_unlock")
        else:
            self._wait("pg_advisory_xact_lock")
        try:
            yield
        finally:
            if self.session:
                # On a dead connection the server has let go already.
                with suppress(Exception):
                    self._ask("pg_advisory_unlock")

    @contextmanager
    def bridged(self) -> Iterator[None]:
        """Keep the lock over an autocommit block, which commits the transaction that holds it."""
        if self.session:
            yield
            return
        self._ask("pg_advisory_lock")
        try:
            yield
        finally:
            # The block has left a new transaction: the lock goes over into it.
            with suppress(Exception):
                self._ask("pg_advisory_xact_lock")
                self._ask("pg_advisory_unlock")

    def _wait(self, function: str) -> None:
        """Other runners may take longer than the session's timeouts allow one statement to."""
        shown = ", ".join(f"current_setting('{name}')" for name in _TIMEOUTS)
        was = self._connection.exec_driver_sql(f"SELECT {shown}").one()
        self._set(dict.fromkeys(_TIMEOUTS, "0"))
        self._ask(function)
        self._set(dict(zip(_TIMEOUTS, was, strict=True)))

    def _set(self, values: dict[str, str]) -> None:
        local = "false" if self.session else "true"
        calls = (f"set_config('{name}', '{value}', {local})" for name, value in values.items())
        self._connection.exec_driver_sql(f"SELECT {', '.join(calls)}")

    def _sees_old_state(self) -> bool:
        """Above READ COMMITTED the snapshot is older than the lock. A caller's stays as it is."""
        if self.context._in_external_transaction:
            return False
        level = self._connection.exec_driver_sql("SHOW transaction_isolation").scalar_one()
        return bool(level != "read committed")

    def _see_what_was_committed(self) -> None:
        """Go on in a new transaction: nothing has been done in this one but waiting."""
        context = self.context
        if context._transaction is not None:
            context._transaction.commit()
            context._transaction = self._connection.begin()
        elif self._connection.in_transaction():
            self._connection.commit()

    @property
    def _connection(self) -> Any:
        return self.context.connection

    def _ask(self, function: str) -> None:
        self._connection.exec_driver_sql(f"SELECT {function}({self.key})")
