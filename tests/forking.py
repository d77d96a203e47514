"""`alembic …` in processes forked off one that has imported everything already.

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
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

SECONDS = 120.0
"""After which a command is taken to hang."""


def run(
    argv: Sequence[str], directory: Path, env: Mapping[str, str], input: str
) -> tuple[int, str, str]:
    """Run `alembic …` to its end; return its exit code, its output and its errors.

    Raises TimeoutError, and kills it, where it doesn't end.
    """
    with TemporaryDirectory() as place, _connected() as link:
        files = [str(Path(place, name)) for name in ("in", "out", "err")]
        Path(files[0]).write_text(input, encoding="utf-8")
        request = {"argv": argv, "directory": str(directory), "env": dict(env), "files": files}
        link.sendall(json.dumps(request).encode() + b"\n")
        answers = link.makefile()
        pid = int(answers.readline())
        try:
            code = int(answers.readline())
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise
        out, err = (Path(file).read_text(encoding="utf-8") for file in files[1:])
        return code, out, err


def command(folder: Path) -> Path:
    """Make an `alembic` for shells in a new directory, which is returned; for a PATH.

    It has the files of whoever starts it, terminals too.
    """
    folder.mkdir()
    script = folder / "alembic"
    script.write_text(_COMMAND.format(python=sys.executable, address=_server()))
    script.chmod(0o755)
    return folder


_COMMAND = """\
#!{python} -IS
import json, os, socket, sys

files = [f"/proc/{{os.getpid()}}/fd/{{number}}" for number in range(3)]
link = socket.socket(socket.AF_UNIX)
link.connect({address!r})
request = dict(argv=sys.argv[1:], directory=os.getcwd(), env=dict(os.environ), files=files)
link.sendall(json.dumps(request).encode() + b"\\n")
answers = link.makefile()
answers.readline()
sys.exit(int(answers.readline()) & 255)
"""


def become(directory: str, env: Mapping[str, str], files: Sequence[str]) -> None:
    """Make this process, a fork, what a shell would start: before anything of `alembic` runs."""
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(env)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    ends = (os.open(files[0], os.O_RDONLY), *(os.open(file, flags, 0o644) for file in files[1:]))
    for number, end in enumerate(ends):
        os.dup2(end, number)
    os.closerange(3, 1024)  # the parent's connections and pipes
    sys.path[0] = ""  # as `python -m alembic` has it


def _connected() -> socket.socket:
    link = socket.socket(socket.AF_UNIX)
    link.settimeout(SECONDS)
    link.connect(_server())
    return link


@cache
def _server() -> str:
    """Start this test process's server; it ends with the pipe to its standard input."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("")  # Linux: a free name in the abstract namespace
    address = listener.getsockname().decode("latin-1")
    listener.listen(16)
    os.set_inheritable(listener.fileno(), True)
    env = {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"}
    _PROCESSES.append(
        subprocess.Popen(
            [sys.executable, "-m", "tests.forking", str(listener.fileno())],
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
    """Fork the command, and tell its process id and how it ended; return in the command."""
    request: dict[str, Any] = json.loads(link.makefile().readline())
    pid = os.fork()
    if pid == 0:
        sys.argv = ["alembic", *request["argv"]]
        become(request["directory"], request["env"], request["files"])
        return
    link.sendall(f"{pid}\n".encode())
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    link.sendall(f"{code}\n".encode())
    os._exit(0)


_LATE = (
    "alembic.config",
    "sqlalchemy.dialects.postgresql.psycopg2",
    "psycopg2.extras",
    "logging.config",
    "postgast.pg_query_pb2",
)
"""What is otherwise imported by an env.py, or by functions."""


def _import_everything() -> None:
    import alembic_rollback

    for name in _LATE:
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
    _import_everything()
    _SHARED.update(sys.modules)
    _SHARED["__main__"] = _SHARED
    share_what_is_there()
    _serve(socket.socket(fileno=int(sys.argv[1])))
    from alembic.config import main

    main(prog="alembic")
