"""Names of scratch databases, whose they are, and how they go: for servers that are not ours.

A database's name holds its owner's number. The owner holds an advisory lock with this number for
as long as it lives; PostgreSQL lets go of it with the connection, however the process ends.
"""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from alembic_rollback.sql.names import quote_always

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

PREFIX = "alembic_rollback_scratch_"
_CLASS = 0x5C7A7C4
"""First key of our advisory locks; the second one is the owner's number."""
_TERMINATE_SECONDS = 30.0
_FORCE = 130_000
"""The first version with DROP DATABASE … WITH (FORCE)."""


def claim(connection: Connection) -> int:
    """Become an owner; the number is ours for as long as the connection is open."""
    while True:
        owner = secrets.randbelow(1 << 31)
        lock = text("SELECT pg_try_advisory_lock(CAST(:class AS int), CAST(:owner AS int))")
        if connection.execute(lock, {"class": _CLASS, "owner": owner}).scalar_one():
            return owner


def new_name(owner: int) -> str:
    """A name that nothing has yet."""
    return f"{PREFIX}{owner:08x}_{secrets.token_hex(6)}"


def drop(connection: Connection, name: str) -> None:
    """Drop a database and end its sessions; it may be gone already."""
    with_force = _version(connection) >= _FORCE
    if not with_force:
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
        connection.execute(text(end), {"name": name})
    force = " WITH (FORCE)" if with_force else ""
    connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {quote_always(name)}{force}")


def drop_all(connection: Connection, owner: int) -> None:
    """Drop every database of an owner that is ending."""
    for name, whose in _databases(connection).items():
        if whose == owner:
            drop(connection, name)


def end_owner(connection: Connection, owner: int) -> None:
    """Wait for the end of a dead owner's session: it may be making a database right now."""
    deadline = time.monotonic() + _TERMINATE_SECONDS
    query = text(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
        "AND classid = :class AND objid = :owner AND objsubid = 2 AND granted"
    )
    while connection.execute(query, {"class": _CLASS, "owner": owner}).all():
        if time.monotonic() > deadline:
            return
        time.sleep(0.05)


def sweep(connection: Connection) -> None:
    """Drop what dead owners have left. In use, or not to be dropped by us, it stays."""
    names = _databases(connection, idle=True)
    # Read after the names: whoever made one of them had its lock before.
    living = _owners(connection)
    for name, owner in names.items():
        if owner not in living:
            with suppress(DBAPIError):  # somebody else was quicker
                drop(connection, name)


def _databases(connection: Connection, *, idle: bool = False) -> dict[str, int]:
    """Owner by name of the scratch databases that we may drop."""
    query = text(
        "SELECT datname FROM pg_database d WHERE left(datname, :length) = :prefix "
        "AND pg_has_role(datdba, 'USAGE') AND NOT (CAST(:idle AS boolean) AND EXISTS "
        "(SELECT FROM pg_stat_activity a WHERE a.datid = d.oid))"
    )
    values = {"length": len(PREFIX), "prefix": PREFIX, "idle": idle}
    found = {}
    for (name,) in connection.execute(query, values):
        owner, _, rest = name.removeprefix(PREFIX).partition("_")
        with suppress(ValueError):  # not a name of ours after all
            if len(owner) == 8 and len(rest) == 12:
                found[name] = int(owner, 16)
    return found


def _owners(connection: Connection) -> frozenset[int]:
    query = text(
        "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND classid = :class "
        "AND objsubid = 2 AND granted"
    )
    return frozenset(int(row[0]) for row in connection.execute(query, {"class": _CLASS}))


def _version(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
