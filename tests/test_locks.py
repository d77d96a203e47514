"""One runner at a time: who waits, what is said, when it ends; and servers that are read only."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from alembic_rollback import commands, embedded
from alembic_rollback.errors import Blocked, DatabaseError
from alembic_rollback.ledger import Ledger
from alembic_rollback.planning import Request
from alembic_rollback.settings import seconds, shown_seconds
from tests.project import ENV, Project, lines

KEY = Ledger("public", "schema_migrations").lock_key
TIMESTAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"

ASYNC_ENV = """
import asyncio
from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

def run(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()

async def main():
    engine = create_async_engine({url!r}, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run)

asyncio.run(main())
"""


@dataclass
class Runner:
    """An `alembic …` process whose standard error can be read while it runs."""

    process: subprocess.Popen[str]
    path: Path

    @property
    def said(self) -> str:
        return self.path.read_text()

    def is_waiting(self) -> bool:
        return "Waiting for another runner" in self.said

    def ends(self, code: int = 0) -> str:
        assert self.process.wait(60) == code, self.said
        return self.said


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Runner]]:
    """Start `alembic …` in a project; what is left at the end of the test is killed."""
    runners: list[Runner] = []

    def started(project: Project, *arguments: str) -> Runner:
        path = tmp_path / f"runner{len(runners)}.err"
        with path.open("wb") as output:
            process = subprocess.Popen(
                project.command(*arguments),
                cwd=project.root,
                env=project.env(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                text=True,
            )
        runners.append(Runner(process, path))
        return runners[-1]

    yield started
    for runner in runners:
        if runner.process.poll() is None:
            runner.process.kill()
        runner.process.wait()


def until(condition: Callable[[], Any]) -> Any:
    """Ask until it is so; fail after half a minute."""
    deadline = time.monotonic() + 30
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


@contextmanager
def session(project: Project, *statements: str) -> Iterator[Connection]:
    """A connection in a transaction in which the statements have run."""
    engine = create_engine(project.url, poolclass=NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
        yield connection


def other_runner(project: Project) -> Any:
    """A session that holds the lock as a runner would."""
    return session(project, f"SELECT pg_advisory_xact_lock({KEY})")


def pid_of(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())


def waiting_pid(project: Project, event: str) -> int:
    """The session that waits for such a lock: `relation`, `virtualxid`."""
    sql = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
        f"AND wait_event_type = 'Lock' AND wait_event = '{event}'"
    )
    ((pid,),) = until(lambda: project.query(sql))
    return int(pid)


def holds_no_snapshot(project: Project) -> bool:
    """Whether no session of the database but ours is in the way of CREATE INDEX CONCURRENTLY."""
    sql = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND backend_xmin IS NOT NULL AND pid <> pg_backend_pid()"
    )
    return project.query(sql) == [(0,)]


def with_engine(project: Project, arguments: str, options: str = "{}") -> None:
    text = ENV.format(url=project.shown_url, options=options)
    project.write_env(text.replace("NullPool)", f"NullPool, {arguments})") if arguments else text)


def in_callers_transaction(project: Project) -> None:
    env = project.root / "migrations" / "env.py"
    env.write_text(
        env.read_text().replace("    context.conf", "    connection.begin(); context.conf")
    )


@pytest.fixture
def gated(project: Project) -> Project:
    """An upgrade whose first step waits for the table `gate`."""
    project.execute("CREATE TABLE gate ()")
    project.pair("1_a", "LOCK TABLE gate;\nCREATE TABLE a (id int);", "DROP TABLE a;")
    return project


# --- waiting ---------------------------------------------------------------------------------


@pytest.mark.parametrize("per_migration", [False, True])
@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_the_second_runner_says_whom_it_waits_for_and_finds_nothing_to_do(
    gated: Project, start: Callable[..., Runner], level: str, per_migration: bool
) -> None:
    options = str({"transaction_per_migration": per_migration})
    with_engine(gated, f"isolation_level={level!r}", options)
    with session(gated, "LOCK TABLE gate"):
        first = start(gated, "upgrade", "head")
        pid = waiting_pid(gated, "relation")
        second = start(gated, "upgrade", "head")
        until(second.is_waiting)
    first.ends()
    said = second.ends()
    (told,) = [line for line in lines(said) if "another runner" in line]
    place = "local" if "host" in gated.url.query else "from "
    assert f"another runner: pid {pid} (user {gated.url.username}, {place}" in told
    assert re.search(
        rf"in a transaction since {TIMESTAMP}\); at most 10min, as lock_wait says", told
    )
    assert gated.log() == [("1", "applied")]
    assert gated.query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]


def test_a_rollback_waits_for_an_upgrade(gated: Project, start: Callable[..., Runner]) -> None:
    gated.execute("DROP TABLE gate")
    gated.pair("1_a", "CREATE TABLE a (id int);", "DROP TABLE a;")
    gated.alembic("upgrade", "head")
    gated.execute("CREATE TABLE gate ()")
    gated.pair("2_b", "LOCK TABLE gate;\nCREATE TABLE b (id int);", "DROP TABLE b;")
    with session(gated, "LOCK TABLE gate"):
        upgrade = start(gated, "upgrade", "head")
        pid = waiting_pid(gated, "relation")
        rollback = start(gated, "rollback-db", "1", "--yes", "--lock-wait", "90s")
        until(rollback.is_waiting)
    upgrade.ends()
    said = rollback.ends()
    assert f"Waiting for another runner: pid {pid} (" in said
    assert "; at most 90s, as lock_wait says." in said
    assert gated.log() == [("1", "applied"), ("2", "applied"), ("1", "rolled_back")]
    assert gated.tables() == {"b", "gate"}


def test_another_holder_is_told_again(gated: Project, start: Callable[..., Runner]) -> None:
    gated.write_ini("lock_wait = 0")
    gated.execute("DROP TABLE gate")
    gated.table("1_a", "a")
    with other_runner(gated) as one, session(gated) as two:
        pids = [pid_of(one), pid_of(two)]
        runner = start(gated, "upgrade", "head")
        until(runner.is_waiting)
        one.rollback()
        two.exec_driver_sql(f"SELECT pg_advisory_xact_lock({KEY})")
        until(lambda: runner.said.count("Waiting") == 2 or runner.process.poll() is not None)
        if runner.process.poll() is None:  # it may have been quicker than the second holder
            told = [line for line in lines(runner.said) if "Waiting" in line]
            assert [int(re.findall(r"pid (\d+)", line)[0]) for line in told] == pids
            assert all("as long as it takes, as lock_wait = 0 says" in line for line in told)
    runner.ends()


def test_an_idle_session_with_the_lock_is_told_by_when_it_connected(
    project: Project, start: Callable[..., Runner]
) -> None:
    project.table("1_a", "a")
    with session(project, f"SELECT pg_advisory_lock({KEY})") as holder:
        holder.exec_driver_sql("SET application_name = 'deploy; 2'")
        holder.commit()
        runner = start(project, "upgrade", "head")
        until(runner.is_waiting)
        assert re.search(rf"application deploy; 2, connected since {TIMESTAMP}\)", runner.said)
    runner.ends()


def test_what_a_role_may_not_know_is_left_out(
    project: Project, start: Callable[..., Runner]
) -> None:
    name = f"app_{project.url.database}"
    project.table("1_a", "a")
    project.execute(f"CREATE ROLE {name} LOGIN", f"GRANT CREATE ON SCHEMA public TO {name}")
    try:
        with_engine(replace(project, url=project.url.set(username=name)), "")
        with other_runner(project) as holder:
            runner = start(project, "upgrade", "head")
            until(runner.is_waiting)
            pid = pid_of(holder)
        assert f"runner: pid {pid} (user {project.url.username}); at most" in runner.said
        runner.ends()
    finally:
        project.execute(f"DROP OWNED BY {name}", f"DROP ROLE {name}")


@pytest.mark.parametrize("logging", ["", "[loggers]\nkeys=root\n[handlers]\nkeys=h\n"
    "[formatters]\nkeys=\n[logger_root]\nlevel=WARNING\nhandlers=h\n"
    "[handler_h]\nclass=StreamHandler\nargs=(sys.stderr,)\n"])  # fmt: skip
@pytest.mark.parametrize("command", [["upgrade", "head"], ["rollback-db", "1", "--yes"]])
def test_it_is_said_whatever_alembic_ini_says_about_logging(
    project: Project, start: Callable[..., Runner], logging: str, command: list[str]
) -> None:
    project.table("1_a", "a")
    project.alembic("upgrade", "head")
    (project.root / "alembic.ini").write_text(
        f"[alembic]\nscript_location = %(here)s/migrations\npath_separator = os\n{logging}"
    )
    env = project.root / "migrations" / "env.py"
    text = env.read_text().replace(", disable_existing_loggers=False", "")
    env.write_text(text if logging else text.replace("    fileConfig(", "    str("))
    with other_runner(project):
        runner = start(project, *command)
        until(runner.is_waiting)
    runner.ends()


# --- in nobody's way ---------------------------------------------------------------------------


@pytest.mark.parametrize("per_migration", [False, True])
@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])
def test_who_waits_is_not_in_the_way_of_create_index_concurrently(
    project: Project, start: Callable[..., Runner], level: str, per_migration: bool
) -> None:
    options = str({"transaction_per_migration": per_migration})
    with_engine(project, f"isolation_level={level!r}", options)
    project.execute("CREATE TABLE t (id int)")
    project.pair("1_i", "CREATE INDEX CONCURRENTLY i ON t (id);", "DROP INDEX i;")
    with session(project, "LOCK TABLE t IN ROW EXCLUSIVE MODE"):
        first = start(project, "upgrade", "head")
        waiting_pid(project, "virtualxid")
        second = start(project, "upgrade", "head")
        until(second.is_waiting)
    first.ends()
    second.ends()
    applied = [entry for entry in project.log() if entry[1] == "applied"]
    assert applied == [("1", "applied")]
    assert project.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass") == [
        (True,)
    ]


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_no_snapshot_is_held_between_two_questions(
    project: Project, start: Callable[..., Runner], level: str
) -> None:
    with_engine(project, f"isolation_level={level!r}")
    project.table("1_a", "a")
    with session(project, f"SELECT pg_advisory_lock({KEY})") as holder:
        holder.commit()
        runner = start(project, "upgrade", "head")
        until(runner.is_waiting)
        until(lambda: holds_no_snapshot(project))
        # It asks at most half of the time, so most looks find none.
        assert sum(holds_no_snapshot(project) for _ in range(20)) > 10
    runner.ends()


def test_a_transaction_that_the_holder_waits_for_is_begun_anew(
    project: Project, start: Callable[..., Runner]
) -> None:
    """As when CREATE INDEX CONCURRENTLY comes just while a question is being answered."""
    env = project.root / "migrations" / "env.py"
    taken = "context.execute('LOCK TABLE t IN ROW EXCLUSIVE MODE'); context.run_migrations()"
    online = env.read_text().rpartition("context.run_migrations()")
    env.write_text(f"{online[0]}{taken}{online[2]}")
    project.execute("CREATE TABLE t (id int)")
    project.table("1_a", "a")
    with other_runner(project) as holder:
        runner = start(project, "upgrade", "head")
        until(runner.is_waiting)
        holder.exec_driver_sql("LOCK TABLE t")
        holder.rollback()
    runner.ends()
    assert project.ledger() == ["1"]


def test_a_callers_transaction_that_the_holder_waits_for_is_given_up(
    project: Project, start: Callable[..., Runner]
) -> None:
    with_engine(project, "isolation_level='REPEATABLE READ'")
    in_callers_transaction(project)
    project.execute("CREATE TABLE t (id int)")
    project.table("1_a", "a")
    with session(project, f"SELECT pg_advisory_lock({KEY})") as holder:
        holder.commit()
        runner = start(project, "upgrade", "head")
        until(runner.is_waiting)
        holder.execution_options(isolation_level="AUTOCOMMIT")
        holder.exec_driver_sql("CREATE INDEX CONCURRENTLY i ON t (id)")
    said = runner.ends(3)
    assert "Another runner has the lock and waits for this very transaction: pid" in said
    assert "Traceback" not in said
    assert project.query("SELECT to_regclass('schema_migrations')") == [(None,)]


def test_idle_in_transaction_session_timeout_does_not_end_the_wait(
    project: Project, start: Callable[..., Runner]
) -> None:
    project.execute(
        f"ALTER DATABASE {project.url.database} SET idle_in_transaction_session_timeout = '1s'"
    )
    project.table("1_a", "a")
    with session(project, f"SELECT pg_advisory_lock({KEY})") as holder:
        holder.commit()
        runner = start(project, "upgrade", "head")
        until(runner.is_waiting)
        began = time.monotonic()
        until(lambda: time.monotonic() - began > 2.5)
    runner.ends()


# --- what the run sees afterwards --------------------------------------------------------------


def env_with(project: Project, level: str, before: str) -> None:
    """An env.py that runs something in its transaction, before the migrations."""
    with_engine(project, f"isolation_level={level!r}")
    env = project.root / "migrations" / "env.py"
    head, call, tail = env.read_text().rpartition("context.run_migrations()")
    env.write_text(f"{head}{before}\n            {call}{tail}")


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_what_was_committed_before_the_lock_was_free_is_seen(project: Project, level: str) -> None:
    """Also where nobody had to be waited for: the snapshot was there before the lock."""
    env_with(
        project,
        level,
        "connection.exec_driver_sql('SELECT 1')\n"
        "            with create_engine(URL, poolclass=NullPool).begin() as other:\n"
        "                other.exec_driver_sql('INSERT INTO t VALUES (1)')",
    )
    project.execute("CREATE TABLE t (id int)")
    project.pair("1_a", "CREATE TABLE seen AS SELECT count(*) AS n FROM t;", "DROP TABLE seen;")
    project.alembic("upgrade", "head")
    assert project.query("SELECT n FROM seen") == [(1,)]


def test_what_env_py_has_set_for_its_transaction_stays(
    project: Project, start: Callable[..., Runner]
) -> None:
    role = f"owner_{project.url.database}"
    project.execute(f"CREATE ROLE {role}", "CREATE SCHEMA tenant")
    project.execute(f"GRANT ALL ON SCHEMA tenant, public TO {role}")
    env_with(
        project,
        "REPEATABLE READ",
        "connection.exec_driver_sql('SET LOCAL search_path = tenant, pg_temp')\n"
        f"            connection.exec_driver_sql('SET LOCAL ROLE {role}')",
    )
    project.table("1_a", "a")
    key = Ledger("tenant", "schema_migrations").lock_key
    try:
        with session(project, f"SELECT pg_advisory_xact_lock({key})"):
            runner = start(project, "upgrade", "head")
            until(runner.is_waiting)
        runner.ends()
        owner = "SELECT relowner::regrole::text FROM pg_class WHERE oid = 'tenant.a'::regclass"
        assert project.query(owner) == [(role,)]
        assert project.query("SELECT version FROM tenant.schema_migrations") == [("1",)]
    finally:
        project.execute(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


# --- the end of waiting ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["upgrade", "head"],
        ["downgrade", "base", "-y"],
        ["stamp", "base"],
        ["rollback-db", "1", "-y"],
    ],
)
def test_when_the_time_is_up_it_is_blocked_and_nothing_was_changed(
    project: Project, arguments: list[str]
) -> None:
    project.table("1_a", "a")
    project.alembic("upgrade", "head")
    project.write_ini("lock_wait = 300ms")
    with other_runner(project) as holder:
        began = time.monotonic()
        said = project.alembic(*arguments, code=3)
        assert time.monotonic() - began < 20
        pid = pid_of(holder)
    (error,) = [line for line in lines(said.err) if line.startswith("error:")]
    assert f"error: Waited 300ms for another runner: pid {pid} (user " in error
    assert (
        f"Nothing was changed. Wait for it; or end it: SELECT pg_terminate_backend({pid})" in error
    )
    assert "lock_wait = … in [alembic_rollback], --lock-wait for rollback-db" in error
    assert "Traceback" not in said.text
    assert project.log() == [("1", "applied")]


def test_a_commands_option_counts_before_the_setting(project: Project) -> None:
    project.table("1_a", "a")
    project.alembic("upgrade", "head")
    with other_runner(project):
        said = project.alembic("rollback-db", "1", "--yes", "--lock-wait", "1s", code=3)
    assert "error: Waited 1s for another runner" in said.err


def test_code_may_say_how_long_and_gets_exceptions(project: Project) -> None:
    project.table("1_a", "a")
    config = project.config
    config.attributes["alembic_rollback_lock_wait"] = "100ms"
    with other_runner(project), pytest.raises(Blocked, match="Waited 100ms for another runner"):
        command.upgrade(config, "head")


@pytest.mark.parametrize("driver", ["psycopg2", "asyncpg"])
@pytest.mark.parametrize(
    "arguments", [["upgrade", "head"], ["downgrade", "base", "-y"], ["rollback-db", "1", "-y"]]
)
def test_ctrl_c_while_waiting_is_one_line(
    project: Project, start: Callable[..., Runner], arguments: list[str], driver: str
) -> None:
    project.table("1_a", "a")
    project.alembic("upgrade", "head")
    if driver == "asyncpg":
        pytest.importorskip("asyncpg")
        url = project.url.set(drivername="postgresql+asyncpg")
        project.write_env(ASYNC_ENV.format(url=url.render_as_string(hide_password=False)))
    with other_runner(project):
        runner = start(project, *arguments)
        until(runner.is_waiting)
        os.kill(runner.process.pid, signal.SIGINT)
        said = runner.ends(1)
    assert "Traceback" not in said
    (error,) = [line for line in lines(said) if line.startswith("error:")]
    assert error == "error: Interrupted while waiting for another runner. Nothing was changed."
    assert project.log() == [("1", "applied")]
    assert project.query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]


def test_ctrl_c_in_code_stays_what_it_is(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(pause: float) -> None:
        raise KeyboardInterrupt

    project.table("1_a", "a")
    monkeypatch.setattr("alembic_rollback.host.locks.time.sleep", interrupted)
    with other_runner(project), pytest.raises(KeyboardInterrupt):
        command.upgrade(project.config, "head")


@pytest.mark.parametrize(
    ("text", "value", "shown"),
    [
        ("10min", 600.0, "10min"),
        ("90s", 90.0, "90s"),
        ("120min", 7200.0, "2h"),
        ("1500ms", 1.5, "1500ms"),
        ("300", 0.3, "300ms"),
    ],
)
def test_a_duration_is_read_and_shown(text: str, value: float, shown: str) -> None:
    found = seconds(text)
    assert found == pytest.approx(value)
    assert found is not None
    assert shown_seconds(found) == shown


@pytest.mark.parametrize("text", ["0", "0s", "0min"])
def test_no_duration_is_no_limit(text: str) -> None:
    assert seconds(text) is None


# --- poolers in transaction mode -----------------------------------------------------------------


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """Everything that SQLAlchemy sends while the test runs."""
    sent: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield sent
    event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])
def test_a_run_in_a_transaction_leaves_nothing_in_the_session(
    project: Project, statements: list[str], level: str
) -> None:
    with_engine(project, f"isolation_level={level!r}")
    project.table("1_a", "a")
    project.script("2f", "1", "op.execute('CREATE TABLE f ()')", "op.execute('DROP TABLE f')")
    project.pair("3_v", "-- Revises: 2f\nCREATE VIEW v AS SELECT id FROM a;", "DROP VIEW v;")
    command.upgrade(project.config, "head")
    commands.rollback(project.config, Request(("3", "1")), lock_wait="1min")
    command.upgrade(project.config, "head")
    command.downgrade(project.config, "base")
    assert any("pg_try_advisory_xact_lock" in sql for sql in statements)
    session_locks = [sql for sql in statements if re.search(r"advisory_(un)?lock\b", sql)]
    assert session_locks == []
    sets = [sql for sql in statements if re.match(r"\s*(RE)?SET\b", sql)]
    assert [sql for sql in sets if not re.match(r"SET (LOCAL|TRANSACTION) ", sql)] == []
    configs = [sql for sql in statements if "set_config(" in sql]
    assert [sql for sql in configs if not re.search(r"true\)", sql)] == []


# --- read only -----------------------------------------------------------------------------------

WRITING = [["upgrade", "head"], ["stamp", "base"], ["downgrade", "base"], ["rollback-db", "1"]]


@pytest.fixture(scope="module")
def replica(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project with an applied revision that holds a row, on a hot standby."""
    root = tmp_path_factory.mktemp("replica")
    root.chmod(0o755)
    with embedded.start_persistent(root / "primary") as server:
        project = Project.create(root / "project", make_url(server.url("postgres")))
        project.table("1_a", "a")
        project.alembic("upgrade", "head")
        project.execute("INSERT INTO a VALUES (1)")
        data = server.data
    with embedded.start_persistent(standby_of(data)) as server:
        project.url = make_url(server.url("postgres"))
        with_engine(project, "")
        assert project.query("SELECT pg_is_in_recovery()") == [(True,)]
        yield project


def standby_of(data: Path) -> Path:
    """A copy of a stopped server's data, of the same owner, that will start as a hot standby."""
    target = data.with_name("standby")
    shutil.copytree(data, target, symlinks=True)
    (target / "standby.signal").touch()
    owner = data.stat()
    for path in (target, *target.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)
    return target


@pytest.mark.parametrize("arguments", WRITING)
def test_a_replica_is_refused_in_one_line(replica: Project, arguments: list[str]) -> None:
    said = replica.alembic(*arguments, code=1)
    assert said.err.count("error:") == 1
    assert (
        "error: The server is a read-only replica. Nothing was changed. Run it against the primary."
        in said.err
    )
    assert "Traceback" not in said.text
    assert "confirm" not in said.text


def test_a_replica_can_be_looked_at(replica: Project) -> None:
    assert replica.applied() == ["1"]
    assert "1 applied, 0 pending" in replica.alembic("migration-status").out
    assert "DROP TABLE a" in replica.alembic("rollback-db", "1", "--dry-run").out


@pytest.mark.parametrize("arguments", WRITING)
def test_a_read_only_session_is_refused_in_one_line(project: Project, arguments: list[str]) -> None:
    project.table("1_a", "a")
    project.alembic("upgrade", "head")
    project.execute(
        "INSERT INTO a VALUES (1)",
        f"ALTER DATABASE {project.url.database} SET default_transaction_read_only = on",
    )
    said = project.alembic(*arguments, code=1)
    assert said.err.count("error:") == 1
    assert re.search(
        r"error: The session is read only: (default_)?transaction_read_only is on\. Nothing was "
        r"changed\. Run it against the primary; or look where default_transaction_read_only is set",
        said.err,
    )
    assert "Traceback" not in said.text
    assert "confirm" not in said.text
    assert project.applied() == ["1"]


def test_code_gets_an_exception_on_a_read_only_session(project: Project) -> None:
    project.table("1_a", "a")
    with_engine(project, "execution_options={'postgresql_readonly': True}")
    with pytest.raises(DatabaseError, match="The session is read only"):
        command.upgrade(project.config, "head")
