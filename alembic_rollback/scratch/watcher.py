"""Drops the scratch databases on a shared server once their owner is gone.

Run as a module, in a process of its own, by the owner, which must be its parent::

    python -m alembic_rollback.scratch.watcher OWNER_PID OWNER_NUMBER

The URL comes as the first line of standard input: other users can read a command line.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import TYPE_CHECKING

from alembic_rollback.embedded.watcher import follow, wait_until

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

_SECONDS = 30.0


class Watcher:
    """The owner's side: the process that watches it."""

    def __init__(self, url: URL, owner: int) -> None:
        """Start watching this process."""
        paths = [str(Path(path).absolute()) for path in sys.path if path]
        self._process = Popen(
            [sys.executable, "-m", __name__, str(os.getpid()), str(owner)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONSAFEPATH": "1"},
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        line = url.render_as_string(hide_password=False).replace("\n", "%0A")
        self._process.stdin.write(f"{line}\n".encode())

    def dismiss(self) -> None:
        """End it: nothing is left to be dropped."""
        self._process.kill()
        self._process.communicate()

    def take_over(self) -> None:
        """Have it drop what could not be dropped here, for half a minute."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        wait_until(lambda: self._process.poll() is not None, _SECONDS)
        self._process.kill()
        self._process.wait()


def main(arguments: list[str]) -> None:
    """Watch, then drop; see the module's docstring for `arguments`."""
    parent, owner = map(int, arguments)
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    url = _first_line()
    if url:
        follow(parent)
        _drop_all(url, owner)


def _first_line() -> str:
    """Read no further than the line's end: the rest of the pipe is for `follow`."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return ""  # the owner is gone, and had nothing yet
        line += byte
    return line.decode().rstrip("\n")


def _drop_all(url: str, owner: int) -> None:
    # Only now: while it waits, the process is to stay small.
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    from alembic_rollback.scratch.leftovers import drop_all, end_owner

    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with suppress(Exception), engine.connect() as connection:
        end_owner(connection, owner)
        drop_all(connection, owner)


if __name__ == "__main__":
    main(sys.argv[1:])
