"""What a reviewer broke: each test is one way in which it once went wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import create_engine
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from alembic_rollback import commands
from alembic_rollback.errors import Blocked
from alembic_rollback.planning import Request
from tests.project import ENV, Project

LOOP = """
from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

for url in {urls!r}:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
"""


def text_of(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@pytest.fixture
def one(project: Project) -> Project:
    """A project with one table, applied."""
    project.table("001_a", "a")
    command.upgrade(project.config, "head")
    return project


def test_rows_that_another_session_has_not_committed_yet_are_not_lost_unseen(one: Project) -> None:
    other = create_engine(one.url, poolclass=NullPool)
    with other.connect() as writer:
        transaction = writer.begin()
        writer.exec_driver_sql("INSERT INTO a SELECT generate_series(1, 1000)")

        def agree(shown: object) -> bool:
            return True

        process = one.start("rollback-db", "001", "--yes")
        wait_for_lock(one)
        transaction.commit()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "containing 0 rows" in err
    assert "001_a changed while this ran. What it did:" in out
    assert "DROP TABLE a (containing 1000 rows)" in out


def test_what_was_agreed_to_is_counted_again_with_the_table_locked(one: Project) -> None:
    other = create_engine(one.url, poolclass=NullPool)
    writer = other.connect()
    transaction = writer.begin()

    def agree_while_rows_are_on_their_way(shown: object) -> bool:
        writer.exec_driver_sql("INSERT INTO a VALUES (1)")
        transaction.commit()
        return True

    with pytest.raises(Blocked, match="changed since it was shown"):
        commands.rollback(one.config, Request(("001",)), confirm=agree_while_rows_are_on_their_way)
    writer.close()
    assert one.query("SELECT count(*) FROM a") == [(1,)]


def wait_for_lock(project: Project) -> None:
    """Until somebody waits for a lock on a table."""
    deadline = time.monotonic() + 30
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'"
    while project.query(waiting) == [(0,)]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_printed_rollback_brings_ledger_and_version_table_together_first(
    project: Project, connection: object
) -> None:
    project.script("a1", None, "op.execute('CREATE TABLE a1 ()')", "op.execute('DROP TABLE a1')")
    project.script("b1", "a1", "op.execute('CREATE TABLE b1 ()')", "op.execute('DROP TABLE b1')")
    project.script("c1", "b1")
    project.execute(
        "CREATE TABLE a1 ()",
        "CREATE TABLE b1 ()",
        "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)",
        "INSERT INTO alembic_version VALUES ('c1')",
    )
    run_sql(connection, project.alembic("rollback-db", "b1", "--sql").out)
    assert project.applied() == ["a1", "c1"]
    project.alembic("upgrade", "head")
    assert project.tables() == {"a1", "b1"}


def run_sql(connection: object, sql: str) -> None:
    connection.cursor().execute(sql.replace("BEGIN;", "").replace("COMMIT;", ""))  # type: ignore[attr-defined]


def test_printed_sql_runs_where_the_online_run_does(project: Project, connection: object) -> None:
    project.pair(
        "1_a",
        "SELECT pg_catalog.set_config('search_path', '', false);\n"
        "CREATE TABLE public.a (id int) -- a comment\n;\n/* another */",
        "DROP TABLE public.a -- gone\n;",
    )
    project.pair("2_b", "SET search_path = pg_temp;\nCREATE TABLE public.b ();", "DROP TABLE b")
    run_sql(connection, project.alembic("upgrade", "head", "--sql").out)
    assert (project.tables(), project.ledger()) == ({"a", "b"}, ["1", "2"])


@pytest.fixture
def two_databases(project: Project, server_url: URL) -> Iterator[Project]:
    """env.py runs on two databases, each in a transaction of its own."""
    second = project.url.set(database=f"{project.url.database}_2")
    admin = create_engine(server_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {second.database} TEMPLATE template0")
    project.write_env(LOOP.format(urls=[text_of(project.url), text_of(second)]))
    project.table("001_a", "a")
    project.alembic("upgrade", "head")
    yield project
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {second.database} WITH (FORCE)")


def test_a_failure_in_the_second_database_does_not_hide_the_first(two_databases: Project) -> None:
    second = Project(two_databases.root, two_databases.url.set(
        database=f"{two_databases.url.database}_2"))  # fmt: skip
    second.execute("CREATE VIEW v AS SELECT * FROM a")
    (two_databases.versions / "001_a.down.sql").write_text("DROP TABLE a;")
    said = two_databases.alembic("rollback-db", "001", "--yes", code=5)
    assert f"001_a in {two_databases.url.database} rolled back and committed" in said.err
    assert "unchanged" not in said.err
    second.execute("DROP VIEW v")
    two_databases.alembic("rollback-db", "001", "--yes")
    assert (two_databases.tables(), second.tables()) == (set(), set())


def test_a_failing_upgrade_says_that_env_py_ran_elsewhere_before(two_databases: Project) -> None:
    second = Project(two_databases.root, two_databases.url.set(
        database=f"{two_databases.url.database}_2"))  # fmt: skip
    second.execute("CREATE TABLE b ()")
    two_databases.pair("002_b", "CREATE TABLE b ();", "DROP TABLE b;")
    said = two_databases.alembic("upgrade", "head", code=5)
    assert "env.py had run steps on another database or schema before" in said.err


def test_a_model_of_that_name_in_another_schema_does_not_drop_the_ledger(project: Project) -> None:
    options = "{'include_schemas': True, 'target_metadata': M}"
    model = "M = MetaData()\nTable('schema_migrations', M, Column('x', Integer), schema='legacy')\n"
    text = ENV.format(url=project.shown_url, options=options)
    project.write_env("from sqlalchemy import *\n" + model + text)
    project.pair("1_s", "CREATE SCHEMA legacy;", "DROP SCHEMA legacy;")
    project.alembic("upgrade", "head")
    project.alembic("revision", "--autogenerate", "-m", "auto")
    (script,) = project.versions.glob("*_auto.py")
    upgrade = script.read_text().split("def downgrade")[0]
    assert "drop_table" not in upgrade
    assert "create_table('schema_migrations'" in upgrade


def test_long_revision_ids_work_as_without_the_plugin(project: Project) -> None:
    project.execute("CREATE TABLE alembic_version (version_num varchar(99) PRIMARY KEY)")
    project.script("x" * 60, None)
    assert "Running without a ledger" in project.alembic("upgrade", "head").err
    assert project.heads() == ["x" * 60]


def test_a_role_without_rights_on_the_ledger_works_as_without_the_plugin(project: Project) -> None:
    name = f"app_{project.url.database}"
    project.script("1f", None)
    project.alembic("upgrade", "head")
    project.execute(
        f"CREATE ROLE {name} LOGIN",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON alembic_version TO {name}",
    )
    try:
        project.write_env(ENV.format(url=text_of(project.url.set(username=name)), options="{}"))
        said = project.alembic("upgrade", "head")
        assert "This role may not write to the ledger public.schema_migrations" in said.err
    finally:
        project.execute(f"DROP OWNED BY {name}", f"DROP ROLE {name}")


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_runners_above_read_committed_see_what_the_one_before_did(
    project: Project, level: str
) -> None:
    env = project.root / "migrations" / "env.py"
    env.write_text(env.read_text().replace("NullPool)", f"NullPool, isolation_level={level!r})"))
    project.pair("1_a", "CREATE TABLE a ();\nSELECT pg_sleep(0.5);", "DROP TABLE a;")
    runners = [project.start("upgrade", "head") for _ in range(3)]
    ends = [(runner.communicate(timeout=60), runner.returncode) for runner in runners]
    assert [code for _, code in ends] == [0, 0, 0], ends
    assert project.log() == [("1", "applied")]


def test_waiting_for_another_runner_is_not_cut_off_by_lock_timeout(project: Project) -> None:
    project.execute(f"ALTER DATABASE {project.url.database} SET lock_timeout = '100ms'")
    project.pair("1_a", "CREATE TABLE a ();\nSELECT pg_sleep(1);", "DROP TABLE a;")
    runners = [project.start("upgrade", "head") for _ in range(2)]
    ends = [(runner.communicate(timeout=60), runner.returncode) for runner in runners]
    assert [code for _, code in ends] == [0, 0], ends
    assert project.query("SHOW lock_timeout") == [("100ms",)]


def test_a_pool_of_one_does_not_hang_on_a_failure(project: Project) -> None:
    env = project.root / "migrations" / "env.py"
    text = env.read_text().replace("poolclass=NullPool", "pool_size=1, max_overflow=0")
    env.write_text(text.replace(".connect() as connection", ".begin() as connection"))
    project.pair("1_a", "SELECT 1 / 0;", "SELECT 1;")
    started = time.monotonic()
    said = project.alembic("upgrade", "head", code=1)
    assert time.monotonic() - started < 20
    assert "nothing of it stays unless they commit it" in said.err
    assert "1_a.up.sql:1:1: division by zero" in said.err


def test_an_interrupt_is_a_few_lines(one: Project) -> None:
    (one.versions / "001_a.down.sql").write_text("DROP TABLE a;\nSELECT pg_sleep(60);")
    process = subprocess.Popen(
        one.command("rollback-db", "001", "--yes"),
        cwd=one.root,
        env=one.env(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 30
    sleeping = "SELECT pid FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep.60'"
    while not one.query(sleeping):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    one.query(f"SELECT pg_cancel_backend(({sleeping}))")
    _, err = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Traceback" not in err
    assert "001_a.down.sql" in err
    assert "The database is unchanged" in err
    assert one.tables() == {"a"}


@pytest.mark.parametrize("arguments", [[""], ["@"], ["--to", ""]])
def test_an_empty_identifier_is_one_line(one: Project, arguments: list[str]) -> None:
    said = one.alembic("rollback-db", *arguments, "--yes", code=None)
    assert said.code == 2
    assert "Traceback" not in said.text


def test_an_unknown_dependency_is_one_line(project: Project) -> None:
    project.table("1_a", "a", "-- Depends on: nope\n")
    said = project.alembic("upgrade", "head", code=1)
    assert "`-- Depends on: nope` names no revision." in said.err
    assert "Traceback" not in said.text


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://me:s3cret@localhost/x", "env.py cannot be run: No module named"),
        ("postgresql://me:s3cret@localhost:port/x", "The database URL cannot be read."),
    ],
)
def test_a_url_that_leads_nowhere_is_one_line(project: Project, url: str, says: str) -> None:
    project.write_env(ENV.format(url=url, options="{}"))
    said = project.alembic("migration-status", code=1)
    assert says in said.err
    assert "Traceback" not in said.text
    assert "s3cret" not in said.text


def test_a_setting_that_the_ini_cannot_hold_is_one_line(project: Project) -> None:
    project.write_ini("lock_timeout = %5s")
    said = project.alembic("migration-status", code=2)
    assert "'%' must be followed by" in said.err
    assert "Traceback" not in said.text


def test_a_linked_pair_is_a_pair(project: Project) -> None:
    target = project.root / "somewhere.sql"
    target.write_text("CREATE TABLE a ();")
    (project.versions / "1_a.up.sql").symlink_to(target)
    (project.versions / "1_a.down.sql").write_text("DROP TABLE a;")
    project.alembic("upgrade", "head")
    assert project.tables() == {"a"}


def test_sql_does_not_swallow_other_options(one: Project) -> None:
    said = one.alembic("rollback-db", "001", "--sql", "--json", code=2)
    assert "--sql goes with neither" in said.err


def test_a_down_of_casts_and_impossible_names(project: Project) -> None:
    project.pair(
        "1_a",
        "CREATE SCHEMA app; CREATE TYPE app.m AS (a int); CREATE TYPE app.p AS (a int);\n"
        "CREATE CAST (app.m AS app.p) WITH INOUT;",
        "DROP CAST IF EXISTS (app.m AS app.p); DROP SCHEMA app CASCADE;",
    )
    project.pair("2_b", "SELECT 1;", "DROP TABLE a.b.c.d;")
    project.alembic("upgrade", "head")
    said = project.alembic("rollback-db", "2", "--yes", code=1)
    assert "2_b.down.sql:1:" in said.err
    (project.versions / "2_b.down.sql").write_text("SELECT 1;")
    said = project.alembic("rollback-db", "--all", "--yes")
    assert "DROP CAST app.m app.p" in said.err
    assert project.applied() == []


def test_an_unreadable_down_stops_the_upgrade_before_its_first_step(project: Project) -> None:
    project.pair("1_a", "-- Transaction: none\nCREATE TABLE a ();", "DROP TABLE a;")
    project.pair("2_b", "SELECT 1;", "SELECT 1;")
    (project.versions / "2_b.down.sql").write_bytes(b"-- \xe9")
    said = project.alembic("upgrade", "head", code=1)
    assert "2_b.down.sql:1:4: is not UTF-8" in said.err
    assert project.tables() == set()


def test_a_timeout_is_not_the_scripts_fault(one: Project) -> None:
    (one.versions / "001_a.down.sql").write_text("SELECT pg_sleep(30);")
    said = one.alembic("rollback-db", "001", "--yes", "--statement-timeout", "100ms", code=1)
    assert "the script is not at fault" in said.err


def test_the_second_try_of_a_partial_script_claims_no_transaction(project: Project) -> None:
    project.pair("1_a", "-- Transaction: none\nCREATE TABLE a ();\nSELECT 1/0;", "DROP TABLE a;")
    assert "1_a is partial" in project.alembic("upgrade", "head", code=5).err
    said = project.alembic("upgrade", "head", code=5)
    assert "1_a goes on at statement 2 of 2." in said.err
    assert "transaction was undone" not in said.err


def test_sql_from_a_version_without_a_file_is_refused_whole(one: Project) -> None:
    up = one.table("002_b", "b")
    one.alembic("upgrade", "head")
    up.unlink()
    (one.versions / "002_b.down.sql").unlink()
    said = one.alembic("rollback-db", "001", "--sql", code=1)
    assert said.out == ""
    assert "The version table says 002" in said.err


@pytest.mark.parametrize("header", ["-- Transaction: off\n", "-- Transaction: yes\n"])
def test_an_unknown_transaction_header_is_refused(project: Project, header: str) -> None:
    project.table("1_a", "a", header)
    said = project.alembic("upgrade", "head", code=1)
    assert "has no meaning; `none` has." in said.err


def test_a_project_without_env_py_is_one_line(one: Project) -> None:
    (one.root / "migrations" / "env.py").unlink()
    said = one.alembic("migration-status", code=1)
    assert "there is no env.py." in said.err
    assert "Traceback" not in said.text
