"""Throw-away databases: made, cloned and always removed, on a server of our own or a given one.

:func:`scratch_server` gives the server. Without a URL it is an embedded one, in which nothing can
do harm; with a URL it is shared: there, what reaches beyond one database is refused. Whatever was
made goes at the end, on errors and also when this process is killed
(:mod:`alembic_rollback.scratch.watcher`).
"""

from alembic_rollback.scratch.errors import (
    MissingExtension,
    MissingRole,
    NotOnScratch,
    SharedServer,
)
from alembic_rollback.scratch.server import ScratchDatabase, ScratchServer, scratch_server

__all__ = [
    "MissingExtension",
    "MissingRole",
    "NotOnScratch",
    "ScratchDatabase",
    "ScratchServer",
    "SharedServer",
    "scratch_server",
]
