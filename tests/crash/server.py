"""A PostgreSQL of the harness's own: databases by the dozen, backends to end, a server to crash."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from sqlalchemy import make_url
from sqlalchemy.engine import URL

from alembic_rollback import embedded

PATIENCE = 30.0
# fsync is off. That does no harm: the server crashes, the operating system doesn't.
_OPTIONS = ("-F", "--full_page_writes=off", "--dynamic_shared_memory_type=mmap")
_SETTINGS = {"max_connections": "30", "autovacuum": "off", "checkpoint_timeout": "1h"}


def await_true(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Ask until the answer is true, and return it. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.003)
    return answer


class CrashServer:
    """An embedded server; leaving it as a context manager stops it."""

    def __init__(self) -> None:
        self.server = embedded.start(settings=_SETTINGS)

    def __enter__(self) -> CrashServer:
        """Return the server itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop it."""
        self.server.stop()

    def url(self, database: str) -> URL:
        """SQLAlchemy's URL of a database."""
        return make_url(self.server.url(database))

    @contextmanager
    def connection(self, database: str = "postgres") -> Iterator[Any]:
        """A cursor on a connection that is closed at the end of the block."""
        found = psycopg2.connect(self.server.url(database, driver=""))
        found.autocommit = True
        try:
            yield found.cursor()
        finally:
            found.close()

    def create(self, database: str, template: str = "template0") -> None:
        """Make a database, as a copy."""
        # Copied as files, because there is less to do than through the log (and to recover).
        with self.connection() as cursor:
            cursor.execute(f"CREATE DATABASE {database} TEMPLATE {template} STRATEGY file_copy")

    def drop(self, *databases: str) -> None:
        """Remove databases, with whoever is connected."""
        with self.connection() as cursor:
            for database in databases:
                cursor.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def crash(self) -> None:
        """An immediate shutdown (pg_ctl -m immediate): no checkpoint, everybody is cut off."""
        assert self._run.process is not None
        os.kill(self._run.process.pid, signal.SIGQUIT)
        self._run.process.wait(PATIENCE)

    def restart(self) -> None:
        """Start again after `crash`; returns when the recovery is through."""
        self._run.serve(*_OPTIONS)

    @property
    def _run(self) -> Any:
        return self.server._run


def waiting_backend(cursor: Any, database: str, pattern: str, *, blocked: bool) -> int | None:
    """The process id of the backend of a database that is running a statement, if there is one.

    blocked: only where it waits for a lock.
    """
    cursor.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = %s AND state = 'active' AND "
        "query LIKE %s AND pid <> pg_backend_pid() AND (NOT %s OR wait_event_type = 'Lock')",
        (database, f"%{pattern}%", blocked),
    )
    row = cursor.fetchone()
    return row[0] if row else None


def next_transaction(cursor: Any) -> str:
    """The id of the next transaction that writes: where it stays, nothing has been written."""
    cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
    (found,) = cursor.fetchone()
    return str(found)


def backends(cursor: Any, database: str) -> int:
    """How many are connected to a database."""
    cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", (database,))
    (count,) = cursor.fetchone()
    return int(count)
