"""Starting servers."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from alembic_rollback.embedded import watcher as watching
from alembic_rollback.embedded.cluster import (
    claim,
    fitting,
    is_cluster,
    reachable,
    remove_unfinished,
    unfinished,
)
from alembic_rollback.embedded.errors import explained
from alembic_rollback.embedded.kit import Kit, assemble
from alembic_rollback.embedded.locks import held, lock, turn
from alembic_rollback.embedded.pidfile import Pidfile
from alembic_rollback.embedded.places import find_base, home_name, homes, make_dir
from alembic_rollback.embedded.run import Run
from alembic_rollback.embedded.server import Server


@explained()
def start(*, bindir: Path | None = None, settings: Mapping[str, str] | None = None) -> Server:
    """Start a temporary server without data, which takes about half a second.

    It lives in memory (/dev/shm) when more than 1 GiB is free there, else in the temporary
    directory; nothing of it survives. `bindir` defaults to :func:`find_binaries`; `settings` are
    configuration parameters, such as ``{"max_connections": "20"}``. Raises EmbeddedError.
    """
    kit = assemble(bindir, settings)
    home = find_base(kit, memory=True) / home_name(secrets.token_hex(8))
    run = Run("temporary", kit, home / "data", home)
    with _stopped_on_failure(run):
        run.prepare()
        make_dir(run.data, kit.account)
        run.initdb(run.data, "--no-sync")
        # In its own directory, dynamic shared memory can't be left behind, and a container's small
        # /dev/shm doesn't limit it.
        memory = "--dynamic_shared_memory_type=mmap"
        return _server(kit, run.data, run.serve("-F", "--full_page_writes=off", memory), run)


@explained()
def start_persistent(
    data: Path, *, bindir: Path | None = None, settings: Mapping[str, str] | None = None
) -> Server:
    """Start the server of the data directory `data`, made at the first start, or attach to it.

    When another process has it running, the returned Server is attached: its `stop()` does
    nothing, and `settings` have no effect. Otherwise this process is the starter: when it stops
    the server or ends, the clients of other processes are given 30 s to leave.

    For root, when `nobody` can't reach `data` (a project under /root), the data is kept in a
    directory below the system's temporary directory instead, named after the sha256 of the
    absolute `data`; `Server.data` says where. `bindir` and `settings` are as in :func:`start`.
    Raises EmbeddedError, also when the data is of another major version than the binaries.
    """
    kit = assemble(bindir, settings)
    data = reachable(Path(os.path.realpath(data)), kit)
    with turn(data.parent):
        remove_unfinished(data)
        if not is_cluster(data):
            return _first_start(kit, data)
        kit = fitting(kit, data)
        claimed = claim(data)
        if isinstance(claimed, Pidfile):
            return _server(kit, data, claimed)
        with held(claimed):
            return _restart(kit, data, claimed)


def _first_start(kit: Kit, data: Path) -> Server:
    """Make the data directory beside its place, so that it appears there whole, and start."""
    fresh = unfinished(data)
    home = find_base(kit, memory=False) / home_name(str(data))
    run = Run("persistent", kit, data, home, fresh)
    with _stopped_on_failure(run):
        make_dir(fresh, kit.account)
        with held(lock(fresh)) as handle:
            run.prepare()
            run.initdb(fresh, lock=handle)
            fresh.rename(data)  # the lock goes with it
            return _server(kit, data, run.serve(lock=handle), run)


def _restart(kit: Kit, data: Path, handle: int) -> Server:
    """Start on existing data with the lock that the server has to hold."""
    base = find_base(kit, memory=False)
    for old in homes(base, str(data)):
        watching.remove(str(old))  # left by a power cut
    run = Run("persistent", kit, data, base / home_name(str(data)))
    with _stopped_on_failure(run):
        run.prepare()
        return _server(kit, data, run.serve(lock=handle), run)


def _server(kit: Kit, data: Path, pidfile: Pidfile, run: Run | None = None) -> Server:
    """Return the server on `data`, started by `run` or else by another process."""
    return Server(kit.bindir, data, pidfile.socket_dir, pidfile.port, kit.version, run)


@contextmanager
def _stopped_on_failure(run: Run) -> Iterator[None]:
    try:
        yield
    except BaseException:
        run.stop()
        raise
