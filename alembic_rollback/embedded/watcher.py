"""Ends an embedded server and removes its directories once their owner is gone.

:mod:`alembic_rollback.embedded` runs this file as a script, in a process of its own::

    python -I -S watcher.py OWNER_PID PLAN DATA PATH...

``OWNER_PID`` is the process to watch (it must be our parent), ``PLAN`` a key of :data:`PLANS`,
``DATA`` the server's data directory and each ``PATH`` a directory to remove at the end. The owner
reports on standard input what is running, one line each: ``idle``, ``initdb PID``, ``starting``
(a server whose process id isn't known yet), ``server PID`` and ``done`` (end what is left).

It imports the standard library only: with ``-I -S`` nothing of the project can be found.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Callable

#: How to end a server: signals by name (Windows lacks some) and the seconds each is given.
PLANS: dict[str, tuple[tuple[str, float], ...]] = {
    # The data is thrown away, so nothing has to be finished.
    "temporary": (("SIGINT", 10.0), ("SIGQUIT", 10.0), ("SIGKILL", 5.0)),
    # Smart first: the clients of other processes may end what they are doing.
    "persistent": (("SIGTERM", 30.0), ("SIGINT", 30.0), ("SIGQUIT", 10.0), ("SIGKILL", 5.0)),
}

#: How long a running initdb may take to end by itself. It takes half a second; killed, it would
#: leave shared memory behind, which belongs to no directory.
INITDB_SECONDS = 30.0


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.002) -> bool:
    """Return whether `condition` came true within `seconds`, asking every `pause` seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def alive(pid: int) -> bool:
    """Return whether process `pid` is running.

    A zombie isn't: in a container, nobody may ever collect the orphans of our owner.
    """
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in ("Z", "X")
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    except FileNotFoundError:  # it ended just now, or this system has no /proc
        return not os.path.exists("/proc/self/stat")


def shut_down(pid: int, plan: str, gone: Callable[[], bool]) -> None:
    """Send the server `pid` the signals of `plan`, each harder than the last, until `gone()`."""
    for name, seconds in PLANS[plan]:
        if gone():
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, getattr(signal, name))
        if wait_until(gone, seconds):
            return


def remove(path: str) -> None:
    """Remove the directory `path`, trying for 5 s: a dying server may still be writing there."""

    def removed() -> bool:
        shutil.rmtree(path, ignore_errors=True)
        return not os.path.lexists(path)

    wait_until(removed, 5.0, pause=0.05)


def follow(owner: int) -> tuple[str, int]:
    """Wait for the end of `owner` or its ``done``; return what was running then, and its pid.

    The end of the pipe isn't enough: a child that the owner forked holds the pipe open too. So
    our parent's id is looked at as well, twice a second.
    """
    state, rest = ("idle", 0), b""
    while True:
        orphaned = os.getppid() != owner
        if not select.select([0], [], [], 0 if orphaned else 0.5)[0]:
            if orphaned:
                return state
            continue
        chunk = os.read(0, 4096)
        if not chunk:
            return state
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            word, _, pid = line.decode().partition(" ")
            if word == "done":
                return state
            state = (word, int(pid or 0))


def pid_in(data: str) -> int:
    """Return the process id that the server wrote into `data`, 0 when there is none (yet)."""
    try:
        with open(os.path.join(data, "postmaster.pid"), encoding="utf-8", errors="replace") as file:
            return int(file.readline())
    except (OSError, ValueError):
        return 0


def end(state: str, pid: int, plan: str, data: str) -> None:
    """End whatever the owner left running."""
    if state == "initdb" and not wait_until(lambda: not alive(pid), INITDB_SECONDS):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    elif state == "starting":
        # The owner died between starting the server and reporting it.
        wait_until(lambda: pid_in(data) > 0, 1.0)
        state, pid = "server", pid_in(data)
    if state == "server" and pid > 0:
        shut_down(pid, plan, lambda: not alive(pid))


def main(arguments: list[str]) -> None:
    """Watch, then clean up; see the module's docstring for `arguments`."""
    owner, plan, data, *paths = arguments
    # Whoever ends a whole group of processes mustn't end the one that cleans up behind them.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    state, pid = follow(int(owner))
    end(state, pid, plan, data)
    for path in paths:
        remove(path)


if __name__ == "__main__":
    main(sys.argv[1:])
