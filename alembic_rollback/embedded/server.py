"""A running server, as its user sees it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic_rollback.embedded.run import Run


@dataclass(eq=False)
class Server:
    """A running server; leaving it as a context manager stops it.

    `bindir` holds its programs, `data` its data directory, `socket_dir` and `port` name its
    socket, `version` is that of the binaries, such as ``18.6``. The superuser is ``postgres``.
    """

    bindir: Path
    data: Path
    socket_dir: Path
    port: int
    version: str
    _run: Run | None = field(default=None, repr=False)

    def url(self, database: str = "postgres", driver: str = "psycopg2") -> str:
        """Return SQLAlchemy's URL of `database`; without percent signs, so fit for an ini file.

        An empty `driver` gives the URL that psql and pg_dump take. Raises ValueError for a
        database name that such a URL can't hold.
        """
        if not database or re.search(r"[%?#&/\s]", database):
            raise ValueError(f"a URL can't hold the database name {database!r} as it is")
        scheme = f"postgresql+{driver}" if driver else "postgresql"
        return f"{scheme}://postgres@/{database}?host={self.socket_dir}&port={self.port}"

    def stop(self) -> None:
        """Stop the server; nothing happens when it is stopped or when another process started it.

        A temporary server cuts its clients off and its directory is removed. A persistent one
        gives its clients 30 s to leave first: close your own connections before.
        """
        if self._run is not None:
            self._run.stop()

    def __enter__(self) -> Server:
        """Return the server itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop it."""
        self.stop()
