"""The processes of one start: a watcher, initdb, a server."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from alembic_rollback.embedded import watcher as watching
from alembic_rollback.embedded.account import identity
from alembic_rollback.embedded.binaries import copy_binaries, environment
from alembic_rollback.embedded.errors import EmbeddedError
from alembic_rollback.embedded.pidfile import Pidfile, read_pidfile
from alembic_rollback.embedded.places import make_dir

if TYPE_CHECKING:
    from alembic_rollback.embedded.kit import Kit

_PORT = "5432"  # only the socket's name depends on it, and each server has a directory of its own
_INITDB_SECONDS = 120.0
_READY_SECONDS = 60.0  # crash recovery included
_CLEANING_SECONDS = 20.0


class Run:
    """What this process started and has to end: a watcher, initdb, a server, directories."""

    def __init__(self, plan: str, kit: Kit, data: Path, home: Path, *more: Path) -> None:
        """Start the watcher of a server on `data`, which will remove `home` and `more`.

        They are best made after this, so that there is no moment in which they could be left.
        """
        self.plan = plan
        self.kit = kit
        self.usable = kit.bindir
        self.data = data
        self.home = home
        self.paths = [str(path) for path in (home, *more)]
        self.owner = os.getpid()
        self.process: subprocess.Popen[bytes] | None = None
        self.stopped = False
        self.mutex = threading.RLock()
        self.watcher = _start_watcher(str(self.owner), plan, str(data), *self.paths)
        atexit.register(self.at_exit)

    def prepare(self) -> None:
        """Make `home`, with the binaries in it if they have to be copied."""
        make_dir(self.home, self.kit.account)
        if self.kit.copied:
            self.usable = copy_binaries(self.kit.bindir, self.home / "pg")

    def initdb(self, target: Path, *options: str, lock: int | None = None) -> None:
        """Initialise `target`, an empty directory; EmbeddedError on failure or after 2 minutes."""
        place = ("-D", str(target), "-A", "trust", "-E", "UTF8", "--no-locale", "-U", "postgres")
        process = self._spawn("initdb", *place, "--no-instructions", *options, lock=lock)
        self._tell(f"initdb {process.pid}")
        try:
            ended = _ends(process, _INITDB_SECONDS)
        finally:
            if not _ends(process, watching.INITDB_SECONDS):
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            self._tell("idle")
        if process.returncode != 0:
            self._fail("initdb", "failed" if ended else "took too long")

    def serve(self, *options: str, lock: int | None = None) -> Pidfile:
        """Start the server and wait until it takes connections; EmbeddedError if it doesn't."""
        settings = [word for pair in self.kit.settings.items() for word in ("-c", "=".join(pair))]
        place = ("-D", str(self.data), "-k", str(self.home), "-h", "", "-p", _PORT)
        self._tell("starting")
        self.process = self._spawn("postgres", *place, *options, *settings, lock=lock)
        self._tell(f"server {self.process.pid}")
        return self._await_ready(self.process)

    def _await_ready(self, process: subprocess.Popen[bytes]) -> Pidfile:
        def settled() -> bool:
            pidfile = read_pidfile(self.data)
            ready = pidfile is not None and pidfile.ready and pidfile.pid == process.pid
            return ready or process.poll() is not None

        watching.wait_until(settled, _READY_SECONDS)
        pidfile = read_pidfile(self.data)
        if process.poll() is not None or pidfile is None:
            self._fail("postgres", "ended at once")
        if not pidfile.ready:
            self._fail("postgres", "isn't ready after a minute")
        return pidfile

    def _spawn(self, program: str, *options: str, lock: int | None) -> subprocess.Popen[bytes]:
        """Start a PostgreSQL program, which logs into `home` and holds the file lock `lock`."""
        with self._log(program).open("wb") as output:
            return subprocess.Popen(
                [str(self.usable / program), *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",  # the account may be unable to enter ours
                env=environment(),
                pass_fds=() if lock is None else (lock,),
                start_new_session=True,  # Ctrl-C is for us
                umask=0o077,
                **identity(self.kit.account),
            )

    def _log(self, program: str) -> Path:
        return self.home / f"{program}.log"

    def _fail(self, program: str, what: str) -> NoReturn:
        """Raise EmbeddedError with the end of the program's log."""
        lines = self._log(program).read_text(errors="replace").splitlines()
        said = " | ".join([line.strip() for line in lines if line.strip()][-5:]) or "nothing"
        raise EmbeddedError(f"{program} {what}: mend what it says, then try again. It says: {said}")

    def _tell(self, state: str) -> None:
        """Report to the watcher what is running now."""
        assert self.watcher.stdin is not None
        with contextlib.suppress(OSError, ValueError):  # someone ended the watcher
            self.watcher.stdin.write(f"{state}\n".encode())

    def stop(self) -> None:
        """End everything; a process that was forked off ours leaves it alone."""
        if self.owner != os.getpid():
            return
        with self.mutex:
            if self.stopped:
                return
            if (process := self.process) is not None:
                watching.shut_down(process.pid, self.plan, lambda: process.poll() is not None)
                self._tell("idle")
            self._tell("done")
            self._hang_up()
            _ends(self.watcher, _CLEANING_SECONDS)
            for path in self.paths:
                watching.remove(path)  # the watcher has done it, unless someone ended it
            self.stopped = True
            atexit.unregister(self.at_exit)

    def at_exit(self) -> None:
        """End a temporary server with our process, and leave a persistent one to the watcher.

        A smart shutdown waits for our own pooled connections, which close when we are gone.
        """
        if self.plan == "temporary":
            self.stop()
        elif self.owner == os.getpid():
            self._hang_up()
            for process in filter(None, (self.process, self.watcher)):
                process.returncode = 0  # meant to outlive us: no ResourceWarning

    def _hang_up(self) -> None:
        assert self.watcher.stdin is not None
        self.watcher.stdin.close()


def _start_watcher(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", watching.__file__, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        cwd="/",
        start_new_session=True,
    )


def _ends(process: subprocess.Popen[bytes], seconds: float) -> bool:
    return watching.wait_until(lambda: process.poll() is not None, seconds)
