"""One process, measured from outside: wall time, its own CPU time, its largest memory."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

LIMIT = 400.0
"""Seconds after which a command is ended."""


class Failed(Exception):
    """A command that did not do what it was run for. A fast failure is no fast result."""


@dataclass(frozen=True)
class Sample:
    """What one process took, its children included."""

    wall: float
    """Seconds from right before its start to right after its end."""
    cpu: float
    """Seconds of user and system time of the client; the server's are not in it."""
    memory: int
    """Largest resident set, in kB. It cannot be less than this program's own when it forked."""
    load: float
    """The machine's load average before it: figures beside a load above 1 tell of others."""

    def data(self) -> dict[str, float]:
        """For the JSON file."""
        return {key: round(value, 5) for key, value in asdict(self).items()}


def run(argv: Sequence[str], directory: Path, env: Mapping[str, str], output: Path) -> Sample:
    """Run one command to its end; raise Failed unless it ends with 0."""
    load = os.getloadavg()[0]
    with output.open("wb") as sink:
        started = time.perf_counter()
        process = subprocess.Popen(
            argv,
            cwd=directory,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
        # An alarm, and not a poll, which would take time from what is measured.
        signal.signal(signal.SIGALRM, lambda *_: os.killpg(process.pid, signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, LIMIT)
        try:
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - started
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        said = output.read_bytes()[-600:].decode(errors="replace").strip()
        raise Failed(f"{' '.join(argv)[:120]}: exit code {process.returncode}: {said}")
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, load)
