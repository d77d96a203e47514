"""apply-db: validate, apply, confirm; on failure clean up, try again, or escalate."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from alembic_rollback import commands
from alembic_rollback.errors import UsageError
from alembic_rollback.escalation import escalated_of
from alembic_rollback.sql.secrets import redacted, without_passwords
from tests.project import Project
from tests.test_review import LOOP, text_of

DUPLICATES = "CREATE TABLE a (id int, note text);"
BROKEN_INDEX = (
    "CREATE TABLE made (id int);\n"
    "ALTER TABLE a ADD COLUMN extra int;\n"
    "CREATE UNIQUE INDEX CONCURRENTLY a_note ON a (note);\n"
)
UNDO = "DROP INDEX IF EXISTS a_note;\nALTER TABLE a DROP COLUMN extra;\nDROP TABLE made;\n"
LISTENER = """
import json, os, sys
json.dump({"report": json.load(sys.stdin), "cwd": os.getcwd()}, open("told.json", "w"))
print("told somebody")
"""


@pytest.fixture
def scratch(server_url: URL) -> str:
    """A server for scratch databases that need not be started."""
    return text_of(server_url)


@pytest.fixture
def app(project: Project, scratch: str) -> Project:
    """A project that makes its scratch databases on the tests' server."""
    (project.root / "listen.py").write_text(LISTENER)
    listener = f"{sys.executable} listen.py"
    project.write_ini(f"scratch_url = {scratch.replace('%', '%%')}\non_failure = {listener}")
    return project


@pytest.fixture
def seeded(app: Project) -> Project:
    """Table a with two rows that have the same note."""
    app.pair("1_a", DUPLICATES, "DROP TABLE a;")
    app.alembic("upgrade", "head")
    app.execute("INSERT INTO a VALUES (1, 'same'), (2, 'same')")
    return app


def told(project: Project) -> dict[str, Any]:
    """What the on_failure command was given."""
    found: dict[str, Any] = json.loads((project.root / "told.json").read_text())
    return found


def report_of(project: Project) -> tuple[Path, Path]:
    """Both files of the only report."""
    (text,) = (project.root / "failures").glob("*.txt")
    return text, text.with_suffix(".json")


# What goes well


def test_everything_pending_is_validated_verified_and_applied(app: Project) -> None:
    app.table("1_a", "a")
    app.script("b2", "1", "op.execute('CREATE TABLE b (id int)')", "op.execute('DROP TABLE b')")
    app.pair("3_c", "-- Revises: b2\nCREATE TABLE c ();", "-- Irreversible: it is final\n")
    said = app.alembic("apply-db").out
    steps = said.splitlines()
    assert steps[:4] == ["3 revisions are pending:", "  1_a", "  b2 script b2", "  3_c"]
    assert steps[4] == "3_c is irreversible: it is final"
    assert steps[5] == "Validated 2 pairs: both files are there and can be run."
    assert steps[6].startswith("Verified 2 downs on PostgreSQL ")
    assert steps[7:] == ["Applied 1_a", "Applied b2 script b2", "Applied 3_c"]
    assert (app.applied(), app.tables()) == (["1", "b2", "3"], {"a", "b", "c"})
    assert app.alembic("apply-db").out == "Nothing to apply.\n"
    assert not (app.root / "failures").exists()


def test_targets(app: Project) -> None:
    app.table("1_a", "a")
    app.table("2_b", "b")
    app.table("3_c", "c", "-- Revises: 1\n")
    said = app.alembic("apply-db", code=2).err
    assert "There are 2 heads: 2, 3." in said
    assert "`alembic apply-db heads`" in said
    app.alembic("apply-db", "+1", "--no-verify")
    assert app.applied() == ["1"]
    assert "on several branches" in app.alembic("apply-db", "+2", "--no-verify", code=2).err
    app.alembic("apply-db", "3", "--no-verify")
    assert app.applied() == ["1", "3"]
    app.alembic("apply-db", "heads", "--no-verify")
    assert sorted(app.applied()) == ["1", "2", "3"]
    assert "Only 0 revisions are pending" in app.alembic("apply-db", "+1", code=2).err
    assert "'+x' is not +N" in app.alembic("apply-db", "+x", code=2).err
    assert "No revision 'nope'" in app.alembic("apply-db", "nope", code=2).err


def test_the_tag_is_recorded_and_times_are_told(app: Project) -> None:
    app.table("1_a", "a")
    said = app.alembic("apply-db", "--tag", "v1", "--verbose").out
    assert "1_a: verified" in said
    assert "1 took " in said
    app.table("2_b", "b")
    app.alembic("apply-db", "--no-verify")
    app.alembic("rollback-db", "--to-tag", "v1", "--yes")
    assert app.applied() == ["1"]


def test_a_dry_run_validates_and_changes_nothing(app: Project) -> None:
    app.table("1_a", "a")
    app.pair("2_b", "CREATE TABLE b ();", None)
    said = app.alembic("apply-db", "--dry-run", "--generate").out
    assert "Would write 2_b.down.sql (proven on PostgreSQL " in said
    assert "Verified 1 down on" in said
    assert said.endswith("Dry run: nothing was applied.\n")
    assert not (app.versions / "2_b.down.sql").exists()
    assert app.query("SELECT to_regclass('schema_migrations')") == [(None,)]


def test_json_is_all_that_is_printed(app: Project) -> None:
    app.table("1_a", "a")
    found = json.loads(app.alembic("apply-db", "--json").out)
    (database,) = found["databases"]
    assert (database["pending"], database["applied"]) == (["1"], ["1"])
    assert found["verification"]["passed"]
    (run_id,) = app.query("SELECT run_id FROM schema_migrations_log WHERE version = '1'")
    assert database["run_ids"] == [*run_id]
    found = json.loads(app.alembic("apply-db", "--json").out)
    assert not found["executed"]


def test_without_a_scratch_server_it_says_so_and_goes_on(project: Project) -> None:
    project.table("1_a", "a")
    said = project.alembic("apply-db", env={"ALEMBIC_ROLLBACK_PG_BIN": "/nowhere"}).out
    assert "not verified: There is no server for scratch databases: /nowhere" in said
    assert said.endswith("Applied 1_a\n")


def test_a_scratch_server_that_was_named_must_be_there(project: Project) -> None:
    project.table("1_a", "a")
    url = "postgresql://u:secret@127.0.0.1:1/x"
    said = project.alembic("apply-db", "--scratch-url", url, code=1)
    assert "Cannot connect to the scratch server" in said.err
    assert "secret" not in said.text
    assert project.applied() == []


# What isn't as it should be


def test_generate_writes_missing_downs_first(app: Project) -> None:
    app.pair("1_a", "CREATE TABLE a (id int);", None)
    said = app.alembic("apply-db", code=1).err
    assert "1_a has no 1_a.down.sql. Nothing was applied. `alembic apply-db --generate`" in said
    said = app.alembic("apply-db", "--generate").out
    assert "Generated 1_a.down.sql (proven on PostgreSQL " in said
    assert app.applied() == ["1"]
    app.alembic("rollback-db", "1", "--yes")
    assert app.tables() == set()


def test_a_generated_down_with_gaps_stops_it(app: Project) -> None:
    app.table("1_a", "a")
    app.pair("2_b", "DELETE FROM a;", None)
    said = app.alembic("apply-db", "--generate", code=3).err
    assert "What cannot be undone: 2_b.up.sql:1: " in said
    assert "Nothing was applied." in said
    assert (app.versions / "2_b.down.sql").exists()
    assert app.applied() == []


def test_a_down_that_does_not_bring_the_schema_back_blocks(app: Project) -> None:
    app.table("1_a", "a")
    app.pair("2_b", "CREATE TABLE b (id int);", "-- nothing\n")
    said = app.alembic("apply-db", code=3)
    assert "2_b: differs after the down\n" in said.out
    assert "   - extra table public.b\n" in said.out
    assert "On a scratch database it did not pass: 2_b (differs). Nothing was applied." in said.err
    assert "`alembic verify-down 2` tries it again" in said.err
    assert app.applied() == []
    found = json.loads(app.alembic("apply-db", "--json", code=3).out)
    assert found["verification"]["revisions"][-1]["outcome"] == "differs"
    app.alembic("apply-db", "--no-verify")
    assert app.applied() == ["1", "2"]


@pytest.mark.parametrize("side", ["up", "down"])
def test_what_does_not_parse_stops_it(app: Project, side: str) -> None:
    app.table("1_a", "a")
    (app.versions / f"1_a.{side}.sql").write_text("SELECT;\nCREATE TABEL a ();")
    said = app.alembic("apply-db", code=1).err
    assert f"1_a.{side}.sql:2:8: " in said
    assert "Nothing was applied." in said
    assert app.applied() == []


# What fails


def test_a_failure_in_a_transaction_is_reported_and_told(seeded: Project) -> None:
    seeded.table("2_b", "b")
    seeded.pair(
        "3_c",
        "CREATE TABLE c ();\nCREATE UNIQUE INDEX a_note ON a (note);",
        "DROP INDEX a_note;\nDROP TABLE c;",
    )
    said = seeded.alembic("apply-db", code=1)
    assert "Applied" not in said.out
    error = said.err[said.err.index("error: ") :].splitlines()
    assert error[0].startswith("error: migrations/versions/3_c.up.sql:2:1: could not create unique")
    assert error[1] == "  Key (note)=(same) is duplicated."
    assert error[2] == "The database is unchanged: the whole transaction was undone."
    assert error[3].startswith("Next: correct the script")
    text, data = report_of(seeded)
    assert error[4:] == [f"Report: {text.relative_to(seeded.root)}"]
    assert stat.S_IMODE(text.stat().st_mode) == stat.S_IMODE(data.stat().st_mode) == 0o600
    assert stat.S_IMODE(text.parent.stat().st_mode) == 0o700
    assert (seeded.tables(), seeded.ledger()) == ({"a"}, ["1"])
    assert "told somebody" in said.err

    found = json.loads(data.read_text())
    assert told(seeded) == {"report": found, "cwd": str(seeded.root)}
    assert (found["revision"], found["direction"], found["sqlstate"]) == ("3", "up", "23505")
    assert found["where"].endswith("3_c.up.sql:2:1")
    assert (found["statement_number"], found["statement_total"]) == (2, 2)
    assert found["statement"] == "CREATE UNIQUE INDEX a_note ON a (note)"
    assert found["detail"] == "Key (note)=(same) is duplicated."
    assert len(found["attempts"]) == 1
    (database,) = found["databases"]
    assert database["database"] == seeded.url.database
    assert database["applied_in_this_run"] == []
    assert [one["state"] for one in database["revisions"]] == ["applied", "pending", "pending"]
    assert database["log"][0]["outcome"] == "failed"
    assert database["run_ids"] == [database["log"][0]["run_id"]]
    assert {"alembic", "SQLAlchemy", "Python"} <= found["versions"].keys()
    assert "alembic apply-db" in found["commands"]
    shown = text.read_text()
    assert "could not create unique index" in shown
    assert "  CREATE UNIQUE INDEX a_note ON a (note)" in shown


def test_what_was_committed_before_stays_and_is_named(seeded: Project) -> None:
    env = seeded.root / "migrations" / "env.py"
    each = "OPTIONS = {'transaction_per_migration': True}"
    env.write_text(env.read_text().replace("OPTIONS = {}", each))
    seeded.table("2_b", "b")
    seeded.pair("3_c", "CREATE UNIQUE INDEX a_note ON a (note);", "DROP INDEX a_note;")
    said = seeded.alembic("apply-db", "--no-verify", code=5)
    assert "Revision 2 applied and committed before it. 3_c itself was undone." in said.err
    found = told(seeded)["report"]
    assert found["databases"][0]["applied_in_this_run"] == ["2"]
    assert "alembic rollback-db 2" in found["commands"]
    assert seeded.applied() == ["1", "2"]


def test_what_a_step_outside_a_transaction_left_is_undone(seeded: Project) -> None:
    seeded.pair("2_b", BROKEN_INDEX, UNDO)
    said = seeded.alembic("apply-db", code=1)
    assert "Undone by its down script: 2_b, which had got to statement 3 of 3." in said.out
    assert "What 2_b had done was undone by its down script: nothing of it is left." in said.err
    assert (seeded.tables(), seeded.ledger()) == ({"a"}, ["1"])
    assert seeded.query("SELECT indexrelid FROM pg_index WHERE NOT indisvalid") == []
    assert seeded.status()["revisions"][1]["state"] == "pending"
    assert ("2", "rolled_back") in seeded.log()
    assert told(seeded)["report"]["undone"] == "2_b"
    seeded.execute("DELETE FROM a WHERE id = 2")
    seeded.alembic("apply-db")
    assert seeded.applied() == ["1", "2"]


def test_what_cannot_be_undone_is_left_partial(seeded: Project) -> None:
    seeded.pair("2_b", BROKEN_INDEX, "-- Irreversible: it is final\n")
    said = seeded.alembic("apply-db", code=5)
    assert "2_b is left partial (statement 3 of 3)." in said.out
    assert "2_b is partial (statement 3 of 3): 2 statements had been executed" in said.err
    assert "It was not undone: 2_b is marked irreversible: it is final." in said.err
    found = told(seeded)["report"]
    assert found["databases"][0]["partial"] == {"2": "statement 3 of 3"}
    assert "alembic rollback-db 2" in found["commands"]
    seeded.execute("DELETE FROM a WHERE id = 2")
    assert "2_b (partial: statement 3 of 3)" in seeded.alembic("apply-db", "--no-verify").out
    assert seeded.applied() == ["1", "2"]


def test_both_errors_are_kept_where_the_down_fails_too(seeded: Project) -> None:
    seeded.pair("2_b", BROKEN_INDEX, UNDO.replace("DROP TABLE made", "DROP TABLE nowhere"))
    said = seeded.alembic("apply-db", "--no-verify", code=5)
    assert "could not create unique index" in said.err
    assert 'It was not undone: table "nowhere" does not exist' in said.err
    assert seeded.status()["revisions"][1]["state"] == "partial"


def test_what_an_earlier_run_had_begun_is_not_undone_unasked(seeded: Project) -> None:
    seeded.pair("2_b", BROKEN_INDEX, UNDO)
    seeded.alembic("upgrade", "head", code=5)
    said = seeded.alembic("apply-db", code=5)
    assert "It was not undone: an earlier run had begun it." in said.err
    assert "made" in seeded.tables()
    seeded.alembic("rollback-db", "2", "--yes")
    assert seeded.tables() == {"a"}


def test_a_py_revision_is_undone_likewise(seeded: Project) -> None:
    seeded.script(
        "b2", "1",
        "op.execute('CREATE TABLE p ()')\n"
        "    with op.get_context().autocommit_block():\n"
        "        op.execute('CREATE TABLE made (id int)')\n"
        "        op.execute('CREATE UNIQUE INDEX CONCURRENTLY a_note ON a (note)')",
        "op.execute('DROP INDEX IF EXISTS a_note'); op.execute('DROP TABLE made, p')",
    )  # fmt: skip
    said = seeded.alembic("apply-db", code=1)
    assert "Undone by its down script: b2 script b2" in said.out
    assert (seeded.tables(), seeded.ledger()) == ({"a"}, ["1"])


def test_reports_never_follow_links_nor_overwrite(seeded: Project) -> None:
    from datetime import datetime, timezone

    from alembic_rollback.escalation import FailureReport, Fault, write

    at = datetime(2026, 1, 12, 10, 30, tzinfo=timezone.utc)
    report = FailureReport(at, "c", "head", Fault("m", version="2/../b"), (), (), "", "", (), ())
    folder, victim = seeded.root / "failures", seeded.root / "victim"
    first = write(report, folder, "one", "{}")
    assert first.name == "20260112T103000Z_2____b.txt"
    (folder / "20260112T103000Z_2____b-2.txt").symlink_to(victim)
    third = write(report, folder, "three", "{}")
    assert (first.read_text(), third.name) == ("one", "20260112T103000Z_2____b-3.txt")
    assert not victim.exists()


@pytest.mark.parametrize(
    ("command", "says"),
    [("false", "exit code 1"), ("nowhere-at-all x", "No such file"), ("'", "No closing quotation")],
)
def test_a_failing_on_failure_command_is_a_warning(
    seeded: Project, scratch: str, command: str, says: str
) -> None:
    seeded.write_ini(f"scratch_url = {scratch.replace('%', '%%')}\non_failure = {command}")
    seeded.pair("2_b", "CREATE UNIQUE INDEX a_note ON a (note);", "DROP INDEX a_note;")
    said = seeded.alembic("apply-db", "--no-verify", code=1).err
    assert "on_failure: " in said
    assert says in said
    assert "could not create unique index" in said


def test_json_of_a_failure(seeded: Project) -> None:
    seeded.pair("2_b", "CREATE UNIQUE INDEX a_note ON a (note);", "DROP INDEX a_note;")
    said = seeded.alembic("apply-db", "--no-verify", "--json", code=1)
    found = json.loads(said.out)
    assert found["failure"]["sqlstate"] == "23505"
    assert Path(found["report"]).exists()
    assert "error: " in said.err


# What passes


class Holder:
    """Another session that holds a lock until an attempt has failed because of it."""

    def __init__(self, project: Project) -> None:
        self.engine = create_engine(project.url, poolclass=NullPool)
        self.connection = self.engine.connect()
        self.connection.exec_driver_sql("LOCK TABLE a IN ACCESS SHARE MODE")
        self.project = project
        self.thread = threading.Thread(target=self._let_go)
        self.thread.start()

    def _let_go(self) -> None:
        deadline = time.monotonic() + 60
        sql = "SELECT count(*) FROM schema_migrations_log WHERE outcome = 'failed'"
        while time.monotonic() < deadline and self.project.query(sql) == [(0,)]:
            pass
        self.connection.close()

    def close(self) -> None:
        self.thread.join()
        self.engine.dispose()


@pytest.fixture
def held(seeded: Project) -> Iterator[Project]:
    holder = Holder(seeded)
    yield seeded
    holder.close()


def test_a_lock_timeout_is_tried_again(held: Project) -> None:
    held.pair(
        "2_b",
        "SET LOCAL lock_timeout = '100ms';\nALTER TABLE a ADD COLUMN b int;",
        "ALTER TABLE a DROP COLUMN b;",
    )
    said = held.alembic("apply-db", "--no-verify", "--retries", "2")
    assert "2_b failed: canceling statement due to lock timeout. Attempt 2 of 3 in " in said.out
    assert said.out.endswith("Applied 2_b\n")
    assert not (held.root / "failures").exists()


def test_after_a_lock_timeout_outside_a_transaction_it_begins_anew(held: Project) -> None:
    held.pair(
        "2_b",
        "-- Transaction: none\nSET lock_timeout = '100ms';\nCREATE TABLE made (id int);\n"
        "ALTER TABLE a ADD COLUMN b int;",
        "ALTER TABLE a DROP COLUMN b;\nDROP TABLE made;",
    )
    said = held.alembic("apply-db", "--no-verify", "--retries", "2")
    assert "Undone by its down script: 2_b" in said.out
    assert said.out.endswith("Applied 2_b\n")
    assert (held.tables(), held.applied()) == ({"a", "made"}, ["1", "2"])


def test_retries_come_to_an_end(seeded: Project) -> None:
    seeded.pair(
        "2_b",
        "SET LOCAL lock_timeout = '100ms';\nALTER TABLE a ADD COLUMN b int;",
        "ALTER TABLE a DROP COLUMN b;",
    )
    engine = create_engine(seeded.url, poolclass=NullPool)
    with engine.connect() as holder:
        holder.exec_driver_sql("LOCK TABLE a IN ACCESS SHARE MODE")
        seeded.alembic("apply-db", "--no-verify", "--retries", "1", code=1)
    engine.dispose()
    found = told(seeded)["report"]
    assert [one["error"] for one in found["attempts"]] == [
        "55P03 canceling statement due to lock timeout"
    ] * 2
    assert found["next"] == "Next: run the command again; the script is not at fault."


def test_a_lost_connection_is_tried_again(seeded: Project) -> None:
    seeded.execute("CREATE TABLE tries (id int)")
    seeded.script(
        "b2", "1",
        "import pathlib\n"
        "    once = pathlib.Path('once')\n"
        "    op.execute('CREATE TABLE b ()')\n"
        "    if not once.exists():\n"
        "        once.touch()\n"
        "        op.execute('SELECT pg_terminate_backend(pg_backend_pid())')",
        "op.execute('DROP TABLE b')",
    )  # fmt: skip
    said = seeded.alembic("apply-db", "--no-verify", "--retries", "1")
    assert "Attempt 2 of 2 in" in said.out
    assert "b" in seeded.tables()


def test_a_connection_lost_outside_a_transaction_is_tried_again(seeded: Project) -> None:
    seeded.execute("DELETE FROM a WHERE id = 2")
    seeded.pair("2_b", BROKEN_INDEX.replace("ALTER TABLE a ADD COLUMN extra int;\n", ""),
                "DROP INDEX IF EXISTS a_note;\nDROP TABLE made;")  # fmt: skip
    engine = create_engine(seeded.url, poolclass=NullPool)
    with engine.connect() as writer:
        writer.exec_driver_sql("LOCK TABLE a IN ROW EXCLUSIVE MODE")
        process = seeded.start("apply-db", "--no-verify", "--retries", "1")
        await_rows(
            seeded,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
            "current_database() AND wait_event_type = 'Lock' AND starts_with(query, 'CREATE UNI')",
        )
    engine.dispose()
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err.count("error: ")) == (0, 0)
    assert "Undone by its down script: 2_b" in out
    assert out.endswith("Applied 2_b\n")


def test_an_interrupt_undoes_nothing_and_says_what_is_left(seeded: Project) -> None:
    seeded.pair(
        "2_b",
        "-- Transaction: none\nCREATE TABLE made (id int);\nSELECT pg_sleep(3);",
        "DROP TABLE made;",
    )
    process = seeded.start("apply-db", "--no-verify")
    await_rows(
        seeded,
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() "
        "AND starts_with(query, 'SELECT pg_sleep') AND state = 'active'",
    )
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 5
    assert "Undone" not in out
    assert "2_b is partial (statement 2 of 2): statement 1 had been executed" in err
    assert not (seeded.root / "failures").exists()


def await_rows(project: Project, sql: str) -> None:
    deadline = time.monotonic() + 60
    while not project.query(sql):
        assert time.monotonic() < deadline


# Several databases


@pytest.fixture
def both(app: Project, server_url: URL) -> Iterator[tuple[Project, Project]]:
    second = app.url.set(database=f"{app.url.database}_2")
    admin = create_engine(server_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {second.database} TEMPLATE template0")
    app.write_env(LOOP.format(urls=[text_of(app.url), text_of(second)]))
    yield app, Project(app.root, second)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {second.database} WITH (FORCE)")


def test_each_database_is_told(both: tuple[Project, Project]) -> None:
    first, second = both
    first.table("1_a", "a")
    said = first.alembic("apply-db", "--no-verify").out
    for one in both:
        assert f"Applied 1_a in {one.url.database}" in said
    assert "another revision in each database" in first.alembic("apply-db", "+1", code=2).err
    second.execute("CREATE TABLE b ()")
    first.table("2_b", "b")
    said = first.alembic("apply-db", "--no-verify", code=5).err
    assert f"In {first.url.database}, 2 was applied." in said
    assert f"In {second.url.database}, nothing was applied." in said
    assert (first.ledger(), second.ledger()) == (["1", "2"], ["1"])


def test_what_another_database_has_applied_is_not_undone(both: tuple[Project, Project]) -> None:
    first, second = both
    first.pair("1_a", DUPLICATES, "DROP TABLE a;")
    first.alembic("apply-db", "--no-verify")
    second.execute("INSERT INTO a VALUES (1, 'same'), (2, 'same')")
    first.pair("2_b", BROKEN_INDEX, UNDO)
    said = first.alembic("apply-db", "--no-verify", code=5).err
    assert f"It was not undone: it is applied in {first.url.database}" in said
    assert (first.ledger(), second.ledger()) == (["1", "2"], ["1"])
    assert "made" in second.tables()


# In code


def test_code_gets_a_result_and_the_report(seeded: Project) -> None:
    seeded.table("2_b", "b")
    lines: list[str] = []
    found = commands.apply(seeded.config, verify=False, tell=lines.append)
    assert [one.version for one in found.pending] == ["2"]
    assert found.databases[0].applied == ("2",)
    assert lines[-1] == "Applied 2_b"
    seeded.pair("3_c", "CREATE UNIQUE INDEX a_note ON a (note);", "DROP INDEX a_note;")
    with pytest.raises(Exception, match="could not create unique index") as caught:
        commands.apply(seeded.config, verify=False)
    escalated = escalated_of(caught.value)
    assert escalated is not None
    assert escalated.path is not None
    assert escalated.path.exists()
    with pytest.raises(UsageError):
        commands.apply(seeded.config, "nope")


# Secrets


def test_no_password_is_written_anywhere(seeded: Project) -> None:
    role = f"app_{os.getpid()}_{time.time_ns()}"
    seeded.pair(
        "2_b",
        f"-- Transaction: none\nSELECT 'seen';\nCREATE ROLE {role} PASSWORD 'hunter2';\n"
        f"CREATE ROLE {role} PASSWORD 'hunter2';",
        f"DROP ROLE IF EXISTS {role};",
    )
    said = seeded.alembic("apply-db", "--no-verify", code=1)
    text, data = report_of(seeded)
    rows = str(seeded.query("SELECT statement, error, down_sql FROM schema_migrations_log"))
    for written in (said.text, text.read_text(), data.read_text(), rows):
        assert "hunter2" not in written
    for written in (text.read_text(), data.read_text(), rows):
        assert f"CREATE ROLE {role} PASSWORD '***'" in written
    assert "SELECT 'seen'" in rows


def test_a_statement_with_a_password_is_known_again_when_it_goes_on(seeded: Project) -> None:
    role = f"app_{os.getpid()}_{time.time_ns()}"
    up = "-- Transaction: none\nCREATE ROLE {} PASSWORD 'hunter2';\nCREATE TABLE a ();"
    seeded.pair("2_b", up.format(role), f"DROP TABLE IF EXISTS a;\nDROP ROLE {role};")
    seeded.alembic("upgrade", "head", code=5)
    seeded.execute("DROP TABLE a")
    seeded.alembic("upgrade", "head")
    assert seeded.ledger() == ["1", "2"]
    seeded.execute(f"DROP ROLE {role}")


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("CREATE ROLE a PASSWORD 'x'", "CREATE ROLE a PASSWORD '***'"),
        ("ALTER USER a PASSWORD $$x$$", "ALTER USER a PASSWORD '***'"),
        ("CREATE ROLE a; SELECT 'x'", "CREATE ROLE a; SELECT 'x'"),
        ("CREATE ROLE é PASSWORD 'é'; SELECT 'ü'", "CREATE ROLE é PASSWORD '***'; SELECT 'ü'"),
        (
            "CREATE SUBSCRIPTION s CONNECTION 'host=h password=x' PUBLICATION p",
            "CREATE SUBSCRIPTION s CONNECTION '***' PUBLICATION p",
        ),
        ("ALTER SUBSCRIPTION s CONNECTION 'x'", "ALTER SUBSCRIPTION s CONNECTION '***'"),
        (
            "CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'u', password 'x')",
            "CREATE USER MAPPING FOR a SERVER s OPTIONS (user '***', password '***')",
        ),
        ("ALTER SERVER s OPTIONS (SET host 'x')", "ALTER SERVER s OPTIONS (SET host '***')"),
        ("ALTER SYSTEM SET primary_conninfo = 'x'", "ALTER SYSTEM SET primary_conninfo = '***'"),
        ("SET app.api_secret = 'x'", "SET app.api_secret = '***'"),
        ("SELECT dblink('host=h password = x', 'SELECT 1')", "SELECT dblink('***', 'SELECT 1')"),
        ("SELECT dblink('postgres://u:x@h/d', '')", "SELECT dblink('***', '')"),
        ("DO $$BEGIN EXECUTE 'ALTER ROLE a PASSWORD ''x'''; END$$", "DO '***'"),
        ("INSERT INTO t VALUES (%(a)s, 'x')", "INSERT INTO t VALUES (%(a)s, '***')"),
        ("SELECT 'x", "SELECT '***'"),
        ("SELECT 1", "SELECT 1"),
    ],
)
def test_redaction(sql: str, shown: str) -> None:
    assert redacted(sql) == shown
    assert redacted(shown) == shown


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("from 'postgresql://u:p@ss@h:1/d?x'", "from 'postgresql://u:***@h:1/d?x'"),
        ("invalid: host=h password='a b' x", "invalid: host=h password=*** x"),
        ("see https://h:8080/y", "see https://h:8080/y"),
    ],
)
def test_passwords_in_messages(message: str, shown: str) -> None:
    assert without_passwords(message) == shown
