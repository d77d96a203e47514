"""One runner at a time: advisory locks on the connection of the run.

Normally the transaction's own (pg_advisory_xact_lock): env.py commits after run_migrations has
returned, so a session lock released there would let the next runner see the state before. Where a
run commits in between, a session lock holds over the gaps (PostgreSQL, 13.3.5 Advisory Locks).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext


class RunnerLock:
    """The lock of one run of migrations."""

    def __init__(self, context: MigrationContext, key: int, *, session: bool) -> None:
        """session: the run commits in between, so the lock must outlive a transaction."""
        self.context, self.key, self.session = context, key, session

    @contextmanager
    def held(self) -> Iterator[None]:
        """Take the lock, waiting for whoever has it, and keep it for the run."""
        self._ask("pg_advisory_lock" if self.session else "pg_advisory_xact_lock")
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

    def _ask(self, function: str) -> None:
        assert self.context.connection is not None
        self.context.connection.exec_driver_sql(f"SELECT {function}({self.key})")
