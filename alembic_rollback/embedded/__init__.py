"""A PostgreSQL server from binaries, without installation: for tests, samples, scratch databases.

:func:`start` gives a temporary server, :func:`start_persistent` one that keeps its data. Both
listen on a Unix socket only, in a directory that nobody else can enter, and therefore trust every
connection. Neither outlives the process that started it, however that process ends: a watcher
(:mod:`alembic_rollback.embedded.watcher`) stops the server and removes the temporary directories.

PostgreSQL refuses to run as root; for root the server runs as ``nobody``.
"""

from alembic_rollback.embedded.binaries import find_binaries
from alembic_rollback.embedded.errors import EmbeddedError
from alembic_rollback.embedded.launcher import start, start_persistent
from alembic_rollback.embedded.server import Server

__all__ = ["EmbeddedError", "Server", "find_binaries", "start", "start_persistent"]
