"""`alembic …`, and other modules, in processes forked off one that has imported everything already.

A test costs a thirtieth of what new interpreters would. The child is what a shell would have
started: its own directory, environment and output, `alembic`'s own main, the interpreter's own end,
but for the modules that were there before it: they are not taken apart, nor collected. Tests for
which more than that matters start real ones: `Project.start`, and whatever sets PYTHON… .
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

SECONDS = 120.0
"""After which a command is taken to hang."""


def run(
    argv: Sequence[str],
    directory: Path,
    env: Mapping[str, str],
    input: str = "",
    *,
    module: str = "alembic",
) -> tuple[int, str, str]:
    """Run `python -m module …` to its end; return its exit code, its output and its errors.

    Those that look at what is imported, or import us in their own way, find neither Alembic nor us.

    Raises TimeoutError, and kills it, where it doesn't end.
    """
    with _file() as given, _file() as out, _file() as err, _connected(module) as link:
        given.write(input)
        given.seek(0)
        socket.send_fds(link, [b"."], [file.fileno() for file in (given, out, err)])
        request = {"module": module, "argv": argv, "directory": str(directory), "env": dict(env)}
        link.sendall(json.dumps(request).encode() + b"\n")
        answers = link.makefile()
        pid = int(answers.readline())
        try:
            code = int(answers.readline())
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise
        out.seek(0)
        err.seek(0)
        return code, out.read(), err.read()


def _file() -> IO[str]:
    return TemporaryFile("w+", encoding="utf-8")


def command_line(*argv: str) -> list[str]:
    """The command line of a small process that stands for an `alembic …`.

    It has the files of whoever starts it, terminals too. What it is sent reaches the command, and
    it ends as that does; where it is killed, so is the command.
    """
    return [sys.executable, "-IS", "-c", _proxy(), *argv]


def command(folder: Path) -> Path:
    """Make such an `alembic` for shells in a new directory, which is returned; for a PATH."""
    folder.mkdir()
    script = folder / "alembic"
    script.write_text(f"#!{sys.executable} -IS\n{_proxy()}")
    script.chmod(0o755)
    return folder


def _proxy() -> str:
    return _PROXY.format(address=_server())


_PROXY = """\
import json, os, signal, socket, sys

link = socket.socket(socket.AF_UNIX)
link.connect({address!r})
socket.send_fds(link, [b"."], [0, 1, 2])
request = dict(module="alembic", argv=sys.argv[1:], directory=os.getcwd(), env=dict(os.environ))
link.sendall(json.dumps(request).encode() + b"\\n")
answers = link.makefile()
pid = int(answers.readline())
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, frame: os.kill(pid, number))
code = int(answers.readline())
if code < 0:
    if -code != signal.SIGKILL:
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
sys.exit(code)
"""


def become(directory: str, env: Mapping[str, str], files: Sequence[int]) -> None:
    """Make this process, a fork, what a shell would start: before anything of `alembic` runs.

    files: its standard input, output and errors.
    """
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(env)
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.closerange(3, 1024)  # the parent's connections and pipes
    if os.isatty(1):
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.path[0] = ""  # as `python -m alembic` has it


def _connected(module: str) -> socket.socket:
    link = socket.socket(socket.AF_UNIX)
    link.settimeout(SECONDS)
    link.connect(_server("others" if module in _WITHOUT_US else "all"))
    return link


@cache
def _server(imports: str = "all") -> str:
    """Start one of this test process's servers; it ends with the pipe to its standard input."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("")  # Linux: a free name in the abstract namespace
    address = listener.getsockname().decode("latin-1")
    listener.listen(16)
    os.set_inheritable(listener.fileno(), True)
    env = {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"}
    _PROCESSES.append(
        subprocess.Popen(
            [sys.executable, "-m", "tests.forking", str(listener.fileno()), imports],
            cwd=Path(__file__).parent.parent,
            env=env,
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
        )
    )
    listener.close()
    return address


_PROCESSES: list[subprocess.Popen[bytes]] = []


def _serve(listener: socket.socket) -> None:
    """Fork a process for each connection, until standard input ends; return in the children."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        ready, _, _ = select.select([listener, 0], [], [])
        if 0 in ready:
            os._exit(0)
        link, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _answer(link)
            return
        link.close()


def _answer(link: socket.socket) -> None:
    """Fork the command, and tell its process id and how it ended; return in the command.

    It is killed where whoever asked for it is gone.
    """
    _, files, _, _ = socket.recv_fds(link, 1, 3)
    request: dict[str, Any] = json.loads(link.makefile().readline())
    pid = os.fork()
    if pid == 0:
        sys.argv = [request["module"], *request["argv"]]
        become(request["directory"], request["env"], files)
        return
    for file in files:
        os.close(file)
    link.sendall(f"{pid}\n".encode())
    ended = os.pidfd_open(pid)
    ready, _, _ = select.select([link, ended], [], [])
    if ended not in ready:
        os.kill(pid, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with suppress(BrokenPipeError):
        link.sendall(f"{code}\n".encode())
    os._exit(0)


_OTHERS = (
    "click",
    "logging.config",
    "mako.template",
    "postgast.pg_query_pb2",
    "psycopg2.extras",
    "pytest",
    "sqlalchemy.dialects.postgresql.psycopg2",
    "sqlalchemy.orm",
)
"""What there is beside Alembic and us; an env.py imports it, or functions do."""
_OPTIONAL = ("flask_migrate",)
_WITHOUT_US = ("pytest", "tests.differential_driver")


def _import_others() -> None:
    for name in _OTHERS:
        importlib.import_module(name)


def import_everything() -> None:
    import alembic_rollback

    _import_others()
    importlib.import_module("alembic.config")
    for name in _OPTIONAL:
        with suppress(ModuleNotFoundError):
            importlib.import_module(name)
    for module in pkgutil.walk_packages(alembic_rollback.__path__, "alembic_rollback."):
        if not module.name.endswith(("__main__", ".flask")):  # Flask need not be installed
            importlib.import_module(module.name)


def share_what_is_there() -> None:
    """Leave what has been made by now to all forks: each would copy what its collector touches."""
    gc.collect()
    gc.freeze()


def _forget_modules() -> None:
    """Leave nothing to take apart to the interpreter's end but what came after the fork.

    In a fork that would copy the memory of every module, only to free it.
    """
    for name in _SHARED.keys() - {"sys", "builtins", "__main__"}:
        sys.modules.pop(name, None)


_SHARED: dict[str, Any] = {}
"""The modules of before the fork. It holds itself, and no collector sees it: it is never freed."""


if __name__ == "__main__":
    atexit.register(_forget_modules)  # the first one, so that it runs last
    import_everything() if sys.argv[2] == "all" else _import_others()
    # An env.py may be written twice in a second, as long as before: the old bytecode would do.
    sys.dont_write_bytecode = True
    _SHARED.update(sys.modules)
    _SHARED["__main__"] = _SHARED
    share_what_is_there()
    _serve(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
