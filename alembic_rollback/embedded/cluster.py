"""The data directory of a persistent server: where it is, what it holds, who runs on it."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from alembic_rollback.embedded import watcher as watching
from alembic_rollback.embedded.account import Account
from alembic_rollback.embedded.errors import EmbeddedError
from alembic_rollback.embedded.locks import lock, pauses, unlock
from alembic_rollback.embedded.pidfile import NAME, Pidfile, may_be_server, read_pidfile
from alembic_rollback.embedded.places import find_base, substitute_name

if TYPE_CHECKING:
    from alembic_rollback.embedded.kit import Kit

_CLAIM_SECONDS = 90.0  # longer than a bounded smart shutdown


def reachable(data: Path, kit: Kit) -> Path:
    """Return `data`, or the directory used in its place; its parent exists afterwards."""
    data.parent.mkdir(parents=True, exist_ok=True)
    if kit.account is None or kit.account.may_enter(data.parent):
        return data
    parent = find_base(kit, memory=False) / substitute_name(data)
    parent.mkdir(0o711, exist_ok=True)
    status = parent.lstat()
    if status.st_uid != 0 or not stat.S_ISDIR(status.st_mode):
        raise EmbeddedError(f"{parent} isn't a directory of yours: remove it")
    return parent / "data"


def is_cluster(data: Path) -> bool:
    """Return whether `data` is a data directory; EmbeddedError when it is something else."""
    if not data.exists():
        return False
    if os.geteuid() not in (0, data.stat().st_uid):
        raise EmbeddedError(f"{data} belongs to another user: run as that user, or remove it")
    if (data / "PG_VERSION").is_file():
        return True
    if any(data.iterdir()):
        raise EmbeddedError(f"{data} holds something else than a server's data: name another")
    return False


def fitting(kit: Kit, data: Path) -> Kit:
    """Return the kit for existing data: root runs the server as the owner of the data.

    Raises EmbeddedError when the data is of another major version than the binaries.
    """
    made_by = (data / "PG_VERSION").read_text().strip()
    if re.findall(r"\d+", kit.version)[0] != made_by:
        raise EmbeddedError(
            f"{data} was made by PostgreSQL {made_by}, and {kit.bindir} holds {kit.version}: "
            "remove the directory if its data can be made again, or set "
            f"ALEMBIC_ROLLBACK_PG_BIN to binaries of PostgreSQL {made_by}"
        )
    status = data.stat()
    if kit.account is None or status.st_uid == 0:
        return kit
    return replace(kit, account=Account(status.st_uid, status.st_gid))


def unfinished(data: Path) -> Path:
    """Return a new name beside `data`, for a data directory that is still being made."""
    return data.with_name(f"{data.name}.init-{secrets.token_hex(4)}")


def remove_unfinished(data: Path) -> None:
    """Remove what a killed first start may have left beside `data`."""
    for fresh in data.parent.glob(f"{data.name}.init-*"):
        handle = None
        with contextlib.suppress(FileNotFoundError):  # its watcher was quicker
            handle = lock(fresh)
        if handle is not None:  # else its initdb is being ended right now
            watching.remove(str(fresh))
            unlock(handle)


def claim(data: Path) -> Pidfile | int:
    """Return the server that runs on `data`, or else the lock that a server has to hold.

    A server that is starting or stopping is waited for. Our servers hold the lock; the pid file
    finds those that someone started by hand, and a stale one is removed.
    """
    pause = pauses(_CLAIM_SECONDS, f"a server on {data} neither answers nor ends: end it")
    while (claimed := _try_claim(data)) is None:
        next(pause)
    return claimed


def _try_claim(data: Path) -> Pidfile | int | None:
    handle = lock(data)
    pidfile = read_pidfile(data)
    running = pidfile if pidfile is not None and pidfile.ready and pidfile.answers() else None
    if handle is None:
        return running
    if running or (pidfile is not None and may_be_server(pidfile.pid, data)):
        unlock(handle)
        return running
    (data / NAME).unlink(missing_ok=True)
    return handle
