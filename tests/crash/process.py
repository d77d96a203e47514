"""Runs `alembic …` in a process forked off this one, which has imported everything already.

A case costs a fifth of what a new interpreter would. The child is what a shell would have started:
its own directory, its own output, `alembic`'s own main, its exit code.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import alembic.config

from tests.forking import become
from tests.project import Result

_WRITTEN = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
PATIENCE = 60.0
"""Seconds after which a command that should have ended is taken to hang."""


@dataclass
class Command:
    """A running `alembic …`."""

    argv: tuple[str, ...]
    root: Path
    env: Mapping[str, str]
    out: Path
    err: Path
    pid: int = 0
    code: int | None = None
    started: float = field(default_factory=time.monotonic)

    @classmethod
    def start(cls, argv: tuple[str, ...], root: Path, env: Mapping[str, str]) -> Command:
        """Start it."""
        command = cls(argv, root, env, root / "stdout", root / "stderr")
        sys.stdout.flush()
        sys.stderr.flush()
        command.pid = os.fork()
        if command.pid == 0:
            _be(command)
        return command

    def ended(self) -> bool:
        """Whether it has ended by now."""
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code is not None

    def result(self, seconds: float = PATIENCE) -> Result:
        """Wait for its end. Raises TimeoutError, and kills it, where it doesn't come."""
        deadline = time.monotonic() + seconds
        while not self.ended():
            if time.monotonic() > deadline:
                self.kill()
                raise TimeoutError(f"{' '.join(self.argv)} doesn't end\n{self._said().text}")
            time.sleep(0.002)
        return self._said()

    def kill(self) -> Result:
        """SIGKILL it, unless it has ended; nothing of it runs afterwards."""
        if not self.ended():
            os.kill(self.pid, signal.SIGKILL)
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._said()

    def _said(self) -> Result:
        out, err = (path.read_text(errors="replace") for path in (self.out, self.err))
        return Result(self.code or 0, out, err)


def run(argv: tuple[str, ...], root: Path, env: Mapping[str, str]) -> Result:
    """Run a command to its end."""
    return Command.start(argv, root, env).result()


def _be(command: Command) -> None:
    """Become the command; never returns, whatever happens, into what belongs to the parent."""
    code = 70
    try:
        env = {**os.environ, **command.env}
        files = [os.open(os.devnull, os.O_RDONLY)]
        files += [os.open(path, _WRITTEN, 0o644) for path in (command.out, command.err)]
        become(str(command.root), env, files)
        for stream in (sys.stdout, sys.stderr):
            # By the line: what it has announced is there to be checked, however it ends.
            stream.reconfigure(encoding="utf-8", line_buffering=True)  # type: ignore[union-attr]
        code = _main(list(command.argv))
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def _main(argv: list[str]) -> int:
    """What the console script does, and what the interpreter does around it."""
    try:
        alembic.config.main(argv=argv, prog="alembic")
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
            return 1
        return ended.code or 0
    except KeyboardInterrupt:
        traceback.print_exc()
        return 130
    except BaseException:
        traceback.print_exc()
        return 1
    return 0
