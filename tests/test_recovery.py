"""Steps outside a transaction: what is recorded, how they go on, how they are undone."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from tests.project import Project

UP = """\
CREATE TABLE u (a int);
INSERT INTO u VALUES (1), (1);
CREATE INDEX CONCURRENTLY i1 ON t (id);
CREATE UNIQUE INDEX CONCURRENTLY i2 ON u (a);
CREATE INDEX CONCURRENTLY i3 ON u (a);
"""
DOWN = """\
DROP INDEX CONCURRENTLY i3;
DROP INDEX CONCURRENTLY i2;
DROP INDEX CONCURRENTLY i1;
DROP TABLE u;
"""
INDEXES = (
    "SELECT relname, indisvalid FROM pg_index JOIN pg_class c ON c.oid = indexrelid "
    "WHERE relname ~ '^i[0-9]' ORDER BY 1"
)


@pytest.fixture
def broken(project: Project) -> Project:
    """Statement 4 of 5 has failed: two rows are the same."""
    project.table("001_t", "t")
    project.pair("002_u", UP, DOWN)
    said = project.alembic("upgrade", "head", code=5)
    assert "002_u.up.sql:4:1: could not create unique index" in said.err
    assert "002_u is partial (statement 4 of 5): 3 statements had been executed" in said.err
    assert "or undo it: `alembic rollback-db 002`" in said.err
    return project


def state(project: Project, version: str) -> str:
    (found,) = [one for one in project.status()["revisions"] if one["version"] == version]
    return str(found["state"])


def outcomes(project: Project, version: str) -> list[tuple[object, ...]]:
    return project.query(
        "SELECT direction, outcome, statement_number FROM schema_migrations_log "
        f"WHERE version = '{version}' ORDER BY id"
    )


def test_a_failure_is_shown_as_partial(broken: Project) -> None:
    said = broken.alembic("migration-status").out
    assert "⚠️ 002 u (partial, statement 4 of 5)" in said.replace("  ", " ")
    assert "`alembic upgrade 002` finishes it, `alembic rollback-db 002` undoes it" in said
    assert "1 applied, 0 pending, 1 partial" in said
    broken.alembic("migration-status", "--check", code=1)
    (found,) = [one for one in broken.status()["revisions"] if one["version"] == "002"]
    assert found["partial"] == {
        "direction": "up",
        "undoing": False,
        "done": [1, 2, 3],
        "in_doubt": 4,
        "total": 5,
        "shown": "statement 4 of 5",
    }
    assert (broken.ledger(), broken.heads()) == (["001"], ["001"])


def test_each_statement_has_its_record(broken: Project) -> None:
    assert outcomes(broken, "002") == [
        ("up", "finished", 1),
        ("up", "finished", 2),
        ("up", "started", 3),
        ("up", "finished", 3),
        ("up", "started", 4),
        ("up", "failed", 4),
    ]


def test_upgrade_goes_on_and_drops_the_invalid_index(broken: Project) -> None:
    assert broken.query(INDEXES) == [("i1", True), ("i2", False)]
    broken.execute("DELETE FROM u WHERE ctid = (SELECT min(ctid) FROM u)")
    said = broken.alembic("upgrade", "head").err
    assert "002_u goes on at statement 4 of 5." in said
    assert "left i2 invalid; that is dropped first" in said
    assert broken.query(INDEXES) == [("i1", True), ("i2", True), ("i3", True)]
    assert broken.applied() == ["001", "002"]
    assert broken.query("SELECT count(*) FROM u") == [(1,)]
    broken.alembic("migration-status", "--check")


def test_rollback_undoes_what_was_done_and_leaves_out_the_rest(broken: Project) -> None:
    shown = broken.alembic("rollback-db", "002", "--dry-run").out
    assert "002_u is partial (statement 4 of 5): what it did is undone." in shown
    for line in (1, 2):
        assert f"002_u.down.sql:{line}:1: left out, for what it undoes was not done." in shown
    assert "002_u.down.sql:3:1" not in shown
    broken.alembic("rollback-db", "002", "--yes")
    assert (broken.tables(), broken.query(INDEXES)) == ({"t"}, [])
    assert (broken.applied(), state(broken, "002")) == (["001"], "pending")
    assert ("down", "skipped", 1) in outcomes(broken, "002")


@pytest.mark.parametrize("form", [("--last", "1"), ("--to", "001"), ("--last-run",)])
def test_what_was_begun_counts_as_the_last(broken: Project, form: tuple[str, ...]) -> None:
    shown = broken.alembic("rollback-db", *form, "--dry-run").out
    assert "002_u is partial" in shown
    assert ("001_t" in shown) == (form == ("--last-run",))  # the same run has applied it


def test_a_changed_statement_stops_the_resumption(broken: Project) -> None:
    broken.pair("002_u", UP.replace("(1), (1)", "(1), (2)"), DOWN)
    said = broken.alembic("upgrade", "head", code=3).err
    assert "002_u.up.sql: 002_u is partial (statement 4 of 5), and statement 2" in said
    assert "Put the statement back as it was; or undo it: `alembic rollback-db 002`." in said
    broken.alembic("rollback-db", "002", "--yes")
    broken.alembic("upgrade", "head")
    assert broken.applied() == ["001", "002"]


def test_a_corrected_statement_is_taken(broken: Project) -> None:
    broken.pair("002_u", UP.replace("CREATE UNIQUE", "CREATE"), DOWN)
    broken.alembic("upgrade", "head")
    assert broken.applied() == ["001", "002"]


def test_what_stands_on_it_waits(broken: Project) -> None:
    broken.table("003_v", "v")
    broken.alembic("upgrade", "head", code=5)  # it goes on at 002 and fails there
    assert broken.tables() == {"t", "u"}
    said = broken.alembic("rollback-db", "001", "--yes")
    assert "002_u is partial (statement 4 of 5). Finish it: `alembic upgrade 002`" in said.err


def test_a_rollback_that_broke_is_finished(project: Project) -> None:
    project.pair("1_a", "CREATE TABLE a (x int);\nCREATE TABLE b ();", "SELECT 1;")
    down = "-- Transaction: none\nDROP TABLE a;\n{}\nDROP TABLE b;\n"
    project.pair("1_a", "CREATE TABLE a (x int);\nCREATE TABLE b ();", down.format("SELECT 1/0;"))
    project.table("2_c", "c")
    project.alembic("upgrade", "head")
    said = project.alembic("rollback-db", "1", "--yes", code=5).err
    assert "1_a is partial (statement 2 of 3): statement 1 had been executed" in said
    assert "1 a (partial, rollback, statement 2 of 3)" in project.alembic("migration-status").out
    project.table("3_d", "d")
    said = project.alembic("upgrade", "head", code=3).err
    assert "stands on it. Nothing was changed. Finish that first: `alembic rollback-db 1`" in said
    project.pair("1_a", "CREATE TABLE a (x int);\nCREATE TABLE b ();", down.format("SELECT 1;"))
    project.alembic("rollback-db", "1", "--yes")
    assert (project.applied(), project.tables()) == (["2"], {"c"})
    project.alembic("upgrade", "head")
    assert project.applied() == ["1", "2", "3"]


def test_a_failure_that_left_nothing_is_not_partial(project: Project) -> None:
    project.pair("1_a", "CREATE INDEX CONCURRENTLY i ON nowhere (a);", "DROP INDEX i;")
    said = project.alembic("upgrade", "head", code=1)
    assert "Nothing of 1_a was executed in this attempt." in said.err
    assert state(project, "1") == "pending"


def test_session_settings_are_set_again(project: Project) -> None:
    project.pair(
        "1_a", "CREATE SCHEMA app; CREATE TABLE app.t (a int);", "DROP SCHEMA app CASCADE;"
    )
    up = (
        "SET search_path = app;\nCREATE INDEX CONCURRENTLY i1 ON t (a);\n{}\n"
        "CREATE INDEX CONCURRENTLY i2 ON t (a);\n"
    )
    project.pair("2_b", up.format("SELECT 1/0;"), "SELECT 1;")
    project.alembic("upgrade", "head", code=5)
    project.pair("2_b", up.format("SELECT 1;"), "SELECT 1;")
    project.alembic("upgrade", "head")
    assert project.query(INDEXES) == [("i1", True), ("i2", True)]


def test_an_index_without_a_name_is_recognised(project: Project) -> None:
    project.pair("1_a", "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1);", "DROP TABLE t;")
    project.pair("2_b", "CREATE UNIQUE INDEX CONCURRENTLY ON t (a);", "DROP INDEX t_a_idx;")
    project.alembic("upgrade", "head", code=5)
    project.execute("DELETE FROM t")
    project.alembic("upgrade", "head")
    found = project.query("SELECT relname FROM pg_class WHERE relname LIKE 't\\_a%'")
    assert found == [("t_a_idx",)]


def test_a_script_revision_runs_again_from_its_beginning(project: Project) -> None:
    project.pair("1", "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1);", "DROP TABLE t;")
    block = (
        "with op.get_context().autocommit_block():\n        op.{}, postgresql_concurrently=True)"
    )
    up = block.format("create_index('i1', 't', ['a'], unique=True")
    down = block.format("drop_index('i1', table_name='t'")
    project.script("b1", "1", up, down)
    said = project.alembic("upgrade", "head", code=5).err
    assert "b1 script b1 is partial (statement 1 begun)" in said
    assert "run `alembic upgrade` again: it runs again; or undo it" in said
    assert project.query(INDEXES) == [("i1", False)]
    assert state(project, "b1") == "partial"
    project.execute("DELETE FROM t")
    said = project.alembic("upgrade", "head").err
    assert "b1 script b1 is partial (statement 1 begun): it runs again from its beginning" in said
    assert project.query(INDEXES) == [("i1", True)]
    project.alembic("rollback-db", "b1", "--yes")
    assert project.query(INDEXES) == []


# Ended in the middle of a statement


@contextmanager
def holding(project: Project, *statements: str) -> Iterator[None]:
    """A transaction that others have to wait for."""
    with create_engine(project.url, poolclass=NullPool).connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
        yield
        connection.rollback()


def kill_in(project: Project, running: str, *args: str) -> None:
    """SIGKILL the client while the server runs a statement; then end what the server still does."""
    process = project.start(*args)
    pid = wait_for(project, running)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    project.query(f"SELECT pg_terminate_backend({pid})")
    while project.query(f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid}"):
        time.sleep(0.01)


def wait_for(project: Project, running: str) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = project.query(
            f"SELECT pid FROM pg_stat_activity WHERE query LIKE '{running}%' AND state = 'active' "
            "AND (wait_event_type = 'Lock' OR wait_event = 'PgSleep')"
        )
        if found:
            return int(found[0][0])
        time.sleep(0.01)
    raise AssertionError(f"{running} was not seen")


@pytest.mark.parametrize(
    ("name", "statement", "lock", "after"),
    [
        ("build", "CREATE INDEX CONCURRENTLY i9 ON t (a)", "INSERT INTO t VALUES (5, 5)", True),
        ("drop", "DROP INDEX CONCURRENTLY i0", "SELECT * FROM t", False),
        ("rebuild", "REINDEX TABLE CONCURRENTLY t", "INSERT INTO t VALUES (5, 5)", True),
    ],
)
def test_an_index_statement_that_was_killed(
    project: Project, name: str, statement: str, lock: str, after: bool
) -> None:
    project.pair("1_t", "CREATE TABLE t (a int, b int); CREATE INDEX i0 ON t (b);", "DROP TABLE t;")
    project.alembic("upgrade", "head")
    project.pair("2_i", f"CREATE TABLE u ();\n{statement};\nCREATE TABLE v ();", "SELECT 1;")
    with holding(project, lock):
        kill_in(project, statement, "upgrade", "head")
    assert state(project, "2") == "partial"
    project.alembic("upgrade", "head")
    assert project.applied() == ["1", "2"]
    invalid = project.query("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")
    assert invalid == []
    names = [
        row[0] for row in project.query("SELECT relname FROM pg_class WHERE relname ~ '^i[09]'")
    ]
    assert ("i0" in names) == after or name == "build"
    assert project.tables() == {"t", "u", "v"}


def test_a_partition_whose_detaching_was_killed(project: Project) -> None:
    project.pair(
        "1_p",
        "CREATE TABLE p (a int) PARTITION BY LIST (a);"
        "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);",
        "DROP TABLE p;",
    )
    project.alembic("upgrade", "head")
    statement = "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY"
    project.pair("2_d", f"{statement};\nCREATE TABLE v ();", "SELECT 1;")
    with holding(project, "SELECT * FROM p"):
        kill_in(project, statement, "upgrade", "head")
    assert project.query("SELECT inhdetachpending FROM pg_inherits") == [(True,)]
    said = project.alembic("upgrade", "head").err
    assert "Detaching p1 was pending; it is finished." in said
    assert project.query("SELECT count(*) FROM pg_inherits") == [(0,)]
    assert project.applied() == ["1", "2"]


def test_a_procedure_that_was_killed_is_for_a_person_to_judge(project: Project) -> None:
    project.pair(
        "1_p",
        "CREATE TABLE t (a int); CREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO t VALUES (1); COMMIT; PERFORM pg_sleep(60); END $$;",
        "DROP PROCEDURE fill; DROP TABLE t;",
    )
    project.alembic("upgrade", "head")
    project.pair("2_c", "-- Transaction: none\nCALL fill();\n", "DELETE FROM t;")
    kill_in(project, "CALL fill", "upgrade", "head")
    said = project.alembic("upgrade", "head", code=3).err
    assert "nobody can tell whether statement 1 (CALL fill()) was executed" in said
    assert "`alembic repair-db 2 --resume-at 1` if it wasn't, or 2 if it was" in said
    assert project.query("SELECT count(*) FROM t") == [(1,)]


# Old release, new database


@pytest.fixture
def ahead(project: Project) -> Project:
    """A release without the files of what its database has."""
    project.table("001_a", "a")
    project.table("002_b", "b")
    project.table("003_c", "c")
    project.alembic("upgrade", "head")
    for path in [*project.versions.glob("002*"), *project.versions.glob("003*")]:
        path.unlink()
    return project


def test_a_stored_down_is_used_where_there_is_no_file(ahead: Project) -> None:
    said = ahead.alembic("rollback-db", "--to", "001", "--yes")
    assert "003_c: the down script is the one that was stored when it was applied." in said.err
    assert (ahead.applied(), ahead.tables(), ahead.heads()) == (["001"], {"a"}, ["001"])


def test_one_of_the_middle_leaves_what_stands_on_it(ahead: Project) -> None:
    ahead.alembic("rollback-db", "002", "--yes")
    assert (ahead.ledger(), ahead.heads(), ahead.tables()) == (["001", "003"], ["003"], {"a", "c"})


def test_a_stored_down_that_fails_says_where(ahead: Project) -> None:
    ahead.execute("DROP TABLE c", "CREATE VIEW c AS SELECT 1")
    said = ahead.alembic("rollback-db", "003", "--yes", code=1).err
    assert '003_c.down.sql (stored):1:1: "c" is not a table' in said
    assert ahead.ledger() == ["001", "002", "003"]


def test_stored_is_preferred_where_it_is_asked_for(project: Project) -> None:
    project.pair("1_a", "CREATE TABLE a ();", "DROP TABLE a;")
    project.alembic("upgrade", "head")
    (project.versions / "1_a.down.sql").write_text("SELECT 1;")
    shown = project.alembic("rollback-db", "1", "--stored", "--dry-run").out
    assert "DROP TABLE a" in shown
    project.alembic("rollback-db", "1", "--stored", "--yes")
    assert project.tables() == set()


def test_what_was_stored_as_irreversible_stays_so(project: Project) -> None:
    project.pair("1_a", "CREATE TABLE a ();", "-- Irreversible: its rows\nSELECT 1;")
    project.alembic("upgrade", "head")
    for path in project.versions.glob("1_a*"):
        path.unlink()
    said = project.alembic("rollback-db", "1", "--yes", code=3).err
    assert "1_a is marked irreversible: its rows." in said


def test_downgrade_names_the_command_that_can(ahead: Project) -> None:
    said = ahead.alembic("downgrade", "001", code=None)
    assert said.code != 0
    assert "002, 003: applied, and their files aren't here; their downs are stored." in said.err
    assert "`alembic rollback-db --to 001`" in said.err
    assert "Traceback" not in said.text


def test_a_script_without_its_file_cannot(project: Project) -> None:
    project.table("1_a", "a")
    path = project.script("b1", "1")
    project.alembic("upgrade", "head")
    path.unlink()
    said = project.alembic("rollback-db", "b1", "--yes", code=1).err
    assert "no down script of it is stored in the log" in said


# By run and by tag


def test_the_last_run_is_undone(project: Project) -> None:
    project.table("1_a", "a")
    project.alembic("upgrade", "head")
    project.table("2_b", "b")
    project.table("3_c", "c")
    project.alembic("upgrade", "head")
    project.alembic("rollback-db", "--last-run", "--yes")
    assert project.applied() == ["1"]
    project.alembic("rollback-db", "--last-run", "--yes")
    assert project.applied() == []
    assert "Nothing to roll back" in project.alembic("rollback-db", "--last-run", "--yes").out


def test_the_first_run_with_the_plugin_has_not_applied_what_it_found(project: Project) -> None:
    project.table("1_a", "a")
    project.table("2_b", "b")
    project.execute(
        "CREATE TABLE a (id int PRIMARY KEY)",
        "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)",
        "INSERT INTO alembic_version VALUES ('1')",
    )
    project.alembic("upgrade", "head")
    project.alembic("rollback-db", "--last-run", "--yes")
    assert project.applied() == ["1"]


@pytest.mark.parametrize("options", ["{}", "{'transaction_per_migration': True}"])
def test_back_to_a_tag(project: Project, options: str) -> None:
    env = project.root / "migrations" / "env.py"
    env.write_text(env.read_text().replace("**{}", f"**{options}"))
    project.table("1_a", "a")
    project.table("2_b", "b")
    project.alembic("upgrade", "head", "--tag", "v1.4")
    project.table("3_c", "c")
    project.alembic("upgrade", "head", "--tag", "v1.5")
    project.alembic("upgrade", "head", "--tag", "v1.5.1")
    project.alembic("rollback-db", "--to-tag", "v1.5", "--yes")
    assert project.applied() == ["1", "2", "3"]
    project.alembic("rollback-db", "--to-tag", "v1.4", "--yes")
    assert project.applied() == ["1", "2"]
    said = project.alembic("rollback-db", "--to-tag", "v9", code=2).err
    assert "No run has the tag 'v9'. Known are: v1.4, v1.5, v1.5.1." in said


def test_a_tag_remembers_the_holes(project: Project) -> None:
    for number in (1, 2, 3):
        project.table(f"{number}_t", f"t{number}")
    project.alembic("upgrade", "head")
    project.alembic("rollback-db", "2", "--yes")
    project.table("4_t", "t4")
    project.alembic("upgrade", "+1", "--tag", "x")  # the hole comes first
    project.alembic("upgrade", "head")
    project.alembic("rollback-db", "--to-tag", "x", "--yes")
    assert project.applied() == ["1", "2", "3"]


def test_the_forms_exclude_each_other(project: Project) -> None:
    said = project.alembic("rollback-db", "1", "--last-run", code=2).err
    assert "several were given" in said


# Retries


def test_a_rollback_is_tried_again_after_a_lock_timeout(project: Project) -> None:
    project.table("1_a", "a")
    project.alembic("upgrade", "head")
    (project.versions / "1_a.down.sql").write_text("DROP TABLE a CASCADE;")
    engine = create_engine(project.url, poolclass=NullPool)
    rollback = ("rollback-db", "1", "--yes", "--lock-timeout", "200ms")
    with engine.connect() as holder, project.start(*rollback) as process:
        holder.exec_driver_sql("LOCK TABLE a IN SHARE ROW EXCLUSIVE MODE")
        said = ""
        for line in process.stderr or ():
            said += line
            if "trying again in" in line:
                holder.rollback()
    assert process.returncode == 0, said
    assert "Nothing was changed; trying again in" in said
    assert project.applied() == []


def test_retries_are_bounded(project: Project) -> None:
    project.table("1_a", "a")
    project.alembic("upgrade", "head")
    (project.versions / "1_a.down.sql").write_text(
        "DO $$ BEGIN RAISE EXCEPTION 'busy' USING ERRCODE = '40001'; END $$;"
    )
    said = project.alembic("rollback-db", "1", "--yes", "--retries", "1", code=1).err
    assert said.count("trying again in") == 1
    assert project.query("SELECT count(*) FROM schema_migrations_log WHERE outcome = 'failed'") == [
        (2,)
    ]
    said = project.alembic("rollback-db", "1", "--yes", "--retries", "0", code=1).err
    assert "trying again" not in said


def test_what_will_not_pass_is_not_tried_again(project: Project) -> None:
    project.pair("1_a", "CREATE TABLE a ();", "SELECT 1/0;")
    project.alembic("upgrade", "head")
    said = project.alembic("rollback-db", "1", "--yes", code=1).err
    assert "trying again" not in said
