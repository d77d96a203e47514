"""What goes wrong outside of the scripts: somebody else, Ctrl-C, the network, the disk, rights.

Each leaves the database whole or says what is partial, in lines and without a traceback.
"""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import URL

from tests.project import ENV, Project, Result

PLAIN = (
    "import sys; from tests.differential_driver import load; "
    "load(plugin=False)().main(sys.argv[1:])"
)
"""`alembic` as it is without this package."""
ROOT = Path(__file__).parent.parent
PATIENCE = 30.0
SLEEP = "SELECT pg_sleep(300)"


def await_true(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "it has not come true"
        time.sleep(0.01)
    return found


def running(project: Project, text: str, *, waiting: bool = False) -> list[Any]:
    """The backends that run a statement; waiting: for a lock."""
    lock = "AND wait_event_type = 'Lock'" if waiting else ""
    return project.query(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' "
        f"AND query LIKE '%%{text}%%' AND pid <> pg_backend_pid() {lock}"
    )


def gone(project: Project) -> bool:
    """Whether nobody else is connected: what was running has been rolled back."""
    ((count,),) = project.query(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()"
    )
    return bool(count == 0)


def end_of(process: subprocess.Popen[str]) -> Result:
    try:
        out, err = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"it does not end\n{out}{err}") from None
    return Result(process.returncode, out, err)


def assert_explained(said: Result, *words: str) -> None:
    """Lines, not a traceback: an error, the state, what to do next."""
    assert said.code != 0, said.text
    assert "Traceback" not in said.text, said.text
    assert "error:" in said.err, said.text
    assert re.search("Next:|`alembic |GRANT|[Rr]un the command again", said.err), said.text
    for word in words:
        assert word in said.text, said.text


# --- somebody else ------------------------------------------------------------------------------


@pytest.fixture
def scripts(project: Project) -> Project:
    """Revisions that plain Alembic knows, too; the first waits for us."""
    project.execute("CREATE TABLE gate (id int)")
    project.script("f1", None, "op.execute('LOCK TABLE gate'); op.execute('CREATE TABLE a ()')",
                   "op.execute('DROP TABLE a')")  # fmt: skip
    project.script("f2", "f1", "op.execute('CREATE TABLE b ()')", "op.execute('DROP TABLE b')")
    return project


def start_plain(project: Project, *argv: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    env = project.env({"PYTHONPATH": str(ROOT)})
    command = [sys.executable, "-c", PLAIN, *argv]
    return subprocess.Popen(command, cwd=project.root, env=env, stdout=pipe, stderr=pipe, text=True)


@pytest.mark.parametrize("plain_first", [True, False])
def test_a_runner_against_plain_alembic(
    scripts: Project, connection: Any, *, plain_first: bool
) -> None:
    starts = [start_plain, Project.start] if plain_first else [Project.start, start_plain]
    gate = connection.cursor()
    gate.execute("BEGIN; LOCK TABLE gate")
    first = starts[0](scripts, "upgrade", "head")
    await_true(lambda: running(scripts, "LOCK TABLE gate", waiting=True))
    second = starts[1](scripts, "upgrade", "head")
    # Whoever comes second waits for the first one's version table, or for the gate.
    await_true(lambda: len(running(scripts, "", waiting=True)) == 2)
    gate.execute("COMMIT")
    ends = [end_of(first), end_of(second)]
    assert ends[0].code == 0, ends
    ours = ends[1] if plain_first else ends[0]
    assert "Traceback" not in ours.text, ours.text
    if ours.code:
        assert_explained(ours)
    scripts.alembic("upgrade", "head")
    assert (scripts.applied(), scripts.heads()) == (["f1", "f2"], ["f2"])
    assert scripts.tables() == {"a", "b", "gate"}
    assert scripts.ledger() == ["f1", "f2"]


def test_two_runners_in_opposite_directions(project: Project) -> None:
    """One after the other, in either order: never a mixture."""
    for number in range(1, 5):
        project.pair(
            f"{number}_t",
            f"CREATE TABLE t{number} (id int);\nSELECT pg_sleep(0.05);",
            f"DROP TABLE t{number};\nSELECT pg_sleep(0.05);",
        )
    project.alembic("upgrade", "2")
    up, down = project.start("upgrade", "head"), project.start("rollback-db", "--all", "--yes")
    for said in (end_of(up), end_of(down)):
        assert "Traceback" not in said.text
    names = {f"t{version}" for version in project.ledger()}
    assert project.tables() == names
    assert project.heads() == project.ledger()[-1:]


# --- Ctrl-C -------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["", "-- Transaction: none\n"])
def test_ctrl_c_in_an_upgrade(project: Project, header: str) -> None:
    project.table("1_a", "a")
    project.pair("2_b", f"{header}CREATE TABLE b (id int);\n{SLEEP};\n", "DROP TABLE b;\n")
    process = project.start("upgrade", "head")
    await_true(lambda: running(project, SLEEP))
    process.send_signal(signal.SIGINT)
    said = end_of(process)
    assert_explained(said, "Interrupted")
    await_true(lambda: gone(project))
    if header:
        assert said.code == 5
        assert project.tables() == {"a", "b"}
        states = [revision["state"] for revision in project.status()["revisions"]]
        assert states == ["applied", "partial"]
    else:
        assert "The database is unchanged" in said.err
        assert project.tables() == set()
        assert project.applied() == []


def test_ctrl_c_in_a_rollback(project: Project) -> None:
    project.table("1_a", "a")
    project.pair("2_b", "CREATE TABLE b (id int);\n", f"DROP TABLE b;\n{SLEEP};\n")
    project.alembic("upgrade", "head")
    process = project.start("rollback-db", "--all", "--yes")
    await_true(lambda: running(project, SLEEP))
    process.send_signal(signal.SIGINT)
    said = end_of(process)
    assert_explained(said, "Interrupted", "The database is unchanged")
    assert "Rolled back" not in said.text
    await_true(lambda: gone(project))
    assert project.tables() == {"a", "b"}
    assert project.applied() == ["1", "2"]


# --- the network --------------------------------------------------------------------------------


class Proxy:
    """Passes bytes between TCP clients and the server's socket, until it cuts them."""

    def __init__(self, target: Path | tuple[str, int]) -> None:
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.pairs: list[tuple[socket.socket, socket.socket]] = []
        self.open = True
        self.thread = threading.Thread(target=self._pass, daemon=True)
        self.thread.start()

    def cut(self) -> None:
        """Close every connection, both sides, as a firewall's reset does."""
        self.open = False
        self.thread.join(PATIENCE)

    def _pass(self) -> None:
        while self.open:
            every = [end for pair in self.pairs for end in pair]
            ready, _, _ = select.select([self.listener, *every], [], [], 0.02)
            for one in ready:
                if one is self.listener:
                    self._accept()
                else:
                    self._forward(one)
        for end in (self.listener, *(end for pair in self.pairs for end in pair)):
            end.close()

    def _accept(self) -> None:
        client, _ = self.listener.accept()
        family = socket.AF_UNIX if isinstance(self.target, Path) else socket.AF_INET
        server = socket.socket(family)
        server.connect(str(self.target) if isinstance(self.target, Path) else self.target)
        self.pairs.append((client, server))

    def _forward(self, one: socket.socket) -> None:
        for pair in list(self.pairs):
            if one in pair:
                other = pair[1 - pair.index(one)]
                with suppress(OSError):
                    if data := one.recv(65536):
                        other.sendall(data)
                        return
                self.pairs.remove(pair)
                for end in pair:
                    end.close()


@contextmanager
def through_proxy(project: Project, options: str = "{}") -> Iterator[Proxy]:
    """The project's env.py connects through a proxy."""
    url = project.url
    host = str(url.query.get("host", url.host))
    port = int(str(url.query.get("port", url.port or 5432)))
    target = Path(host, f".s.PGSQL.{port}") if host.startswith("/") else (host, port)
    proxy = Proxy(target)
    through = URL.create(
        url.drivername, url.username, url.password, "127.0.0.1", proxy.port, url.database
    )
    project.write_env(
        ENV.format(url=through.render_as_string(hide_password=False), options=options)
    )
    try:
        yield proxy
    finally:
        proxy.cut()
        project.write_env(ENV.format(url=project.shown_url, options=options))


def cut_while(project: Project, proxy: Proxy, *argv: str) -> Result:
    process = project.start(*argv)
    await_true(lambda: running(project, SLEEP))
    proxy.cut()
    said = end_of(process)
    # The server would look at its socket after five minutes.
    project.query(f"SELECT pg_terminate_backend({running(project, SLEEP)[0][0]})")
    await_true(lambda: gone(project))
    return said


def test_a_connection_cut_in_an_upgrade(project: Project) -> None:
    project.table("1_a", "a")
    project.pair("2_b", f"CREATE TABLE b (id int);\n{SLEEP};\n", "DROP TABLE b;\n")
    with through_proxy(project) as proxy:
        said = cut_while(project, proxy, "upgrade", "head")
    assert_explained(said, "2_b.up.sql:2:1")
    assert (project.tables(), project.applied()) == (set(), [])


def test_a_connection_cut_between_committed_steps_claims_nothing(project: Project) -> None:
    options = "{'transaction_per_migration': True}"
    project.table("1_a", "a")
    project.pair("2_b", f"CREATE TABLE b (id int);\n{SLEEP};\n", "DROP TABLE b;\n")
    with through_proxy(project, options) as proxy:
        said = cut_while(project, proxy, "upgrade", "head")
    assert_explained(said)
    assert "database is unchanged" not in said.text
    assert (project.tables(), project.applied()) == ({"a"}, ["1"])


def test_a_connection_cut_in_a_rollback(project: Project) -> None:
    project.table("1_a", "a")
    project.pair("2_b", "CREATE TABLE b (id int);\n", f"DROP TABLE b;\n{SLEEP};\n")
    project.alembic("upgrade", "head")
    with through_proxy(project) as proxy:
        said = cut_while(project, proxy, "rollback-db", "--all", "--yes")
    assert_explained(said, "2_b.down.sql:2:1")
    assert "Rolled back" not in said.text
    assert (project.tables(), project.applied()) == ({"a", "b"}, ["1", "2"])


# --- the disk -----------------------------------------------------------------------------------


@pytest.fixture
def small(project: Project, tmp_path_factory: Any) -> Iterator[str]:
    """A tablespace of one megabyte, on a disk of its own."""
    ((data,),) = project.query("SHOW data_directory")
    if os.geteuid() != 0 or not Path(str(data)).is_dir():
        pytest.skip("only root can mount a small disk, and only on the server's machine")
    place = Path("/tmp", f"small_{project.url.database}")
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,mode=777", "tmpfs", str(place)],
        capture_output=True,
        text=True,
    )
    if mounted.returncode:
        place.rmdir()
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    owner = Path(str(data)).stat()
    os.chown(place, owner.st_uid, owner.st_gid)
    name = place.name
    admin = Project(project.root, project.url)
    try:
        _autocommitted(admin, f"CREATE TABLESPACE {name} LOCATION '{place}'")
        yield name
    finally:
        _autocommitted(admin, "DROP TABLE IF EXISTS big", "DROP INDEX IF EXISTS rows_text")
        _autocommitted(admin, f"DROP TABLESPACE IF EXISTS {name}")
        subprocess.run(["umount", str(place)], check=True)
        place.rmdir()


def _autocommitted(project: Project, *statements: str) -> None:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    engine = create_engine(project.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_disk_full_in_an_upgrade(project: Project, small: str) -> None:
    project.table("1_a", "a")
    project.pair(
        "2_big",
        f"CREATE TABLE big (t text) TABLESPACE {small};\n"
        "INSERT INTO big SELECT repeat(md5(n::text), 20) FROM generate_series(1, 5000) n;\n",
        "DROP TABLE big;\n",
    )
    said = project.alembic("upgrade", "head", code=1)
    assert_explained(said, "2_big.up.sql:2:1", "No space left on device", "database is unchanged")
    assert (project.tables(), project.applied()) == (set(), [])


def test_disk_full_in_an_index_made_concurrently(project: Project, small: str) -> None:
    project.pair(
        "1_rows",
        "CREATE TABLE rows (t text);\n"
        "INSERT INTO rows SELECT md5(n::text) FROM generate_series(1, 20000) n;\n",
        "DROP TABLE rows;\n",
    )
    project.alembic("upgrade", "head")
    up = "CREATE INDEX CONCURRENTLY rows_text ON rows (t)"
    project.pair("2_index", f"{up} TABLESPACE {small};\n", "DROP INDEX rows_text;\n")
    said = project.alembic("upgrade", "head", code=5)
    assert_explained(said, "No space left on device", "partial")
    assert [one["state"] for one in project.status()["revisions"]] == ["applied", "partial"]
    # With room for it, the same command goes on.
    (project.versions / "2_index.up.sql").write_text(f"{up};\n")
    project.alembic("upgrade", "head")
    assert project.query("SELECT indisvalid FROM pg_index WHERE indrelid = 'rows'::regclass") == [
        (True,)
    ]


# --- rights -------------------------------------------------------------------------------------


@pytest.fixture
def weak(project: Project) -> Iterator[Callable[[], None]]:
    """From the call on, env.py connects as a role that has been given nothing."""
    role = f"weak_{project.url.database}"
    project.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
    project.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")

    def become() -> None:
        url = project.url.set(username=role, password="x")
        text = url.render_as_string(hide_password=False)
        project.write_env(ENV.format(url=text, options="{}"))

    become.role = role  # type: ignore[attr-defined]
    yield become
    project.execute(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def grant(project: Project, weak: Any, *rights: str) -> None:
    project.execute(*(f"GRANT {right} TO {weak.role}" for right in rights))


LEDGER = (
    "SELECT, INSERT, UPDATE, DELETE ON alembic_version, schema_migrations, schema_migrations_log"
)


def test_a_role_that_may_not_create_the_ledger(project: Project, weak: Any) -> None:
    project.table("1_a", "a")
    weak()
    said = project.alembic("upgrade", "head", code=1)
    assert_explained(said, "schema_migrations", "CREATE", "schema public")


def test_a_role_that_may_not_write_to_the_ledger(project: Project, weak: Any) -> None:
    project.table("1_a", "a")
    project.alembic("upgrade", "head")
    project.table("2_b", "b")
    grant(project, weak, "SELECT ON alembic_version, schema_migrations, schema_migrations_log")
    weak()
    said = project.alembic("upgrade", "head", code=1)
    assert_explained(said, "GRANT SELECT, INSERT, DELETE")


def test_a_role_that_may_not_write_to_the_version_table(project: Project, weak: Any) -> None:
    project.table("1_a", "a")
    project.alembic("upgrade", "head")
    project.pair("2_b", "SELECT 1;\n", "SELECT 1;\n")
    grant(project, weak, LEDGER, "CREATE ON SCHEMA public")
    project.execute(f"REVOKE UPDATE ON alembic_version FROM {weak.role}")
    weak()
    said = project.alembic("upgrade", "head", code=1)
    assert_explained(said, "alembic_version", "permission denied")
    assert project.ledger() == ["1"]


def test_a_role_that_may_not_do_what_the_script_does(project: Project, weak: Any) -> None:
    project.table("1_a", "a")
    project.alembic("upgrade", "head")
    project.pair("2_b", "CREATE TABLE b (id int);\n", "DROP TABLE b;\n")
    grant(project, weak, LEDGER)
    weak()
    said = project.alembic("upgrade", "head", code=1)
    assert_explained(said, "2_b.up.sql:1:", "permission denied for schema public (42501)")
    assert re.search(r"\bCREATE\b.*schema public", said.err), said.err


def test_a_role_that_is_not_the_owner(project: Project, weak: Any) -> None:
    project.table("1_a", "a")
    project.alembic("upgrade", "head")
    grant(project, weak, LEDGER, "SELECT ON a")
    weak()
    said = project.alembic("rollback-db", "1", "--yes", code=1)
    assert_explained(said, "must be owner of table a")
    assert project.tables() == {"a"}


def test_a_role_that_may_not_count(project: Project, weak: Any) -> None:
    project.table("1_a", "a")
    project.alembic("upgrade", "head")
    project.execute("INSERT INTO a VALUES (1), (2)")
    grant(project, weak, LEDGER)
    weak()
    said = project.alembic("rollback-db", "1", "--dry-run", code=None)
    assert "Traceback" not in said.text, said.text
    assert "SELECT" in said.text, said.text
    assert "0 rows" not in said.text, said.text
