"""repair-db: what is recorded, changed on purpose; each action, each refusal, and what follows."""

from __future__ import annotations

import json
import signal
import time
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from alembic_rollback import commands
from alembic_rollback.errors import Blocked, UsageError
from alembic_rollback.repairs import RepairRequest
from tests.project import ENV, Project, ended, terminal


@pytest.fixture
def history(project: Project) -> Project:
    """Pair a, script b, pair c, all applied."""
    project.table("001_a", "a")
    project.script(
        "beef", "001", "op.execute('CREATE TABLE b (id int)')", "op.execute('DROP TABLE b')"
    )
    project.table("002_c", "c", "-- Revises: beef\n")
    project.alembic("upgrade", "head")
    return project


def records(project: Project) -> tuple[list[Any], ...]:
    """Everything that repair-db may change."""
    ledger = project.query("SELECT * FROM schema_migrations ORDER BY version")
    log = project.query("SELECT * FROM schema_migrations_log ORDER BY id")
    return ledger, log, project.heads()


def state(project: Project, version: str) -> str:
    (found,) = [one for one in project.status()["revisions"] if one["version"] == version]
    return str(found["state"])


def checksum(project: Project, version: str) -> str:
    ((found,),) = project.query(
        f"SELECT checksum FROM schema_migrations WHERE version = '{version}'"
    )
    return str(found)


# The prompt

PROMPT = """⚠️  WARNING: Repair

You are about to forget a revision; its down is not run.

This will change:
- 001_a: applied → pending
- ledger row 001: checksum {checksum}… → none
- version table: stays 002
- log: forgotten 001

Applied later, and staying applied: beef script beef, 002_c.

Type 'REPAIR' to confirm: """


def test_the_prompt_has_its_shape_and_the_word_repairs(history: Project) -> None:
    shown = PROMPT.format(checksum=checksum(history, "001")[:12])
    child = terminal(history, "repair-db", "001", "--forget")
    child.expect_exact("to confirm: ")
    assert (child.before + "to confirm: ").replace("\r\n", "\n") == shown
    child.sendline("REPAIR")
    said, code = ended(child)
    assert code == 0
    assert "✅ Repaired 001_a: applied → pending" in said
    assert history.ledger() == ["002", "beef"]


@pytest.mark.parametrize("typed", ["repair", "ROLLBACK", "yes", "", " REPAIR", "REPAIR "])
def test_anything_but_the_word_changes_nothing(history: Project, typed: str) -> None:
    before = records(history)
    child = terminal(history, "repair-db", "001", "--forget")
    child.expect_exact("to confirm: ")
    child.sendline(typed)
    said, code = ended(child)
    assert (code, "Not confirmed. Nothing was changed." in said) == (4, True)
    assert records(history) == before


def test_without_a_terminal_it_asks_for_yes(history: Project) -> None:
    before = records(history)
    said = history.alembic("repair-db", "001", "--forget", code=4)
    assert "there is no terminal to ask on" in said.err
    assert "Look with --dry-run, then run it with --yes." in said.err
    assert records(history) == before


def test_a_dry_run_shows_it_and_changes_nothing(history: Project) -> None:
    before = records(history)
    said = history.alembic("repair-db", "002", "--forget", "--dry-run").out
    assert said.startswith("Would forget a revision; its down is not run.\n\nThis would change:\n")
    assert "- 002_c: applied → pending\n" in said
    assert "- version table: 002 → beef\n" in said
    assert said.endswith("Dry run: nothing was changed.\n")
    assert records(history) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["001"], "Say what to do, in one of --accept-checksum, --forget"),
        ([], "none was given"),
        (["001", "--forget", "--mark-applied"], "several were given"),
        (["001", "--forget", "--resume-at", "0"], "several were given"),
        (["--forget"], "--forget takes one VERSION."),
        (["--accept-checksum"], "--accept-checksum takes one VERSION, or --all."),
        (["001", "--accept-checksum", "--all"], "--accept-checksum takes one VERSION, or --all."),
        (["--all", "--forget"], "--all goes with --accept-checksum only"),
        (["001", "--forget", "--from-table", "x"], "--from-table goes with --adopt only"),
        (["001", "--adopt", "dbmate"], "--adopt takes a tool"),
        (["--adopt", "flyway"], "Invalid value for '--adopt'"),
        (["nope", "--forget"], "No revision 'nope'"),
        (["00", "--forget"], "'00' is ambiguous"),
        (["001", "--forget", "--lock-wait", "soon"], "'soon' is not a duration"),
        (["001", "002", "--forget"], "unexpected extra argument"),
    ],
)
def test_a_wrong_request_changes_nothing(history: Project, arguments: list[str], says: str) -> None:
    before = records(history)
    said = history.alembic("repair-db", *arguments, "--yes", code=2)
    assert says in said.err
    assert "Traceback" not in said.text
    assert records(history) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["001", "--accept-checksum"], "001_a was not changed since it was applied."),
        (["beef", "--accept-checksum"], "beef script beef was not changed since it was applied."),
        (["003", "--accept-checksum"], "003_d is not applied."),
        (["003", "--forget"], "003_d is not applied."),
        (["001", "--mark-applied"], "001_a is applied already."),
        (["001", "--clear-partial"], "001_a is not partial: it is applied."),
        (["003", "--clear-partial"], "003_d is not partial: it is pending."),
        (["003", "--resume-at", "1"], "003_d is not partial: it is pending."),
        (["--adopt", "dbmate", "--from-table", "x.y"], "There is no table x.y."),
        (["--adopt", "dbmate"], "schema_migrations is this project's own ledger, not dbmate's."),
    ],
)
def test_where_it_does_not_apply_it_says_why(
    history: Project, arguments: list[str], says: str
) -> None:
    history.table("003_d", "d")
    before = records(history)
    said = history.alembic("repair-db", *arguments, "--yes", code=1)
    assert f"{says} Nothing was changed." in said.err.replace("public.", "")
    assert "`alembic migration-status` shows" in said.err
    assert records(history) == before


# Accepted checksums


def test_a_changed_file_is_accepted(history: Project) -> None:
    applied = history.query("SELECT applied_at FROM schema_migrations WHERE version = '001'")
    history.pair(
        "001_a", "CREATE TABLE a (id int PRIMARY KEY); -- more\n", "DROP TABLE a; -- new\n"
    )
    assert "modified" in history.alembic("migration-status").out
    was = checksum(history, "001")
    said = history.alembic("repair-db", "001", "--accept-checksum", "--yes")
    now = checksum(history, "001")
    assert now != was
    assert f"- ledger row 001: checksum {was[:12]}… → checksum {now[:12]}…" in said.err
    assert "- log: accepted 001, with the down scripts as they are now" in said.err
    assert f"✅ Repaired 001_a: checksum {was[:12]}… → checksum {now[:12]}…" in said.out
    assert "modified" not in history.alembic("migration-status", "--check").out
    assert history.query(
        "SELECT direction, checksum, down_sql FROM schema_migrations_log WHERE outcome = 'accepted'"
    ) == [("none", now, "DROP TABLE a; -- new\n")]
    assert applied == history.query(
        "SELECT applied_at FROM schema_migrations WHERE version = '001'"
    )


def test_the_accepted_down_is_the_stored_one(history: Project) -> None:
    history.table("002_c", "c", "-- Revises: beef\n-- changed\n")
    (history.versions / "002_c.down.sql").write_text("DROP TABLE c; CREATE TABLE kept ();\n")
    history.alembic("repair-db", "002", "--accept-checksum", "--yes")
    for file in history.versions.glob("002*"):
        file.unlink()
    history.alembic("rollback-db", "002", "--yes")
    assert history.tables() == {"a", "b", "kept"}


def test_all_that_is_modified_is_accepted(history: Project) -> None:
    assert (
        "Nothing to repair: No applied revision was changed since."
        in history.alembic("repair-db", "--accept-checksum", "--all", "--yes").out
    )
    history.table("001_a", "a", "-- changed\n")
    history.table("002_c", "c", "-- Revises: beef\n-- changed\n")
    script = history.versions / "beef_script.py"
    script.write_text(script.read_text() + "# changed\n")
    said = history.alembic("repair-db", "--accept-checksum", "--all", "--yes").out
    assert "Repaired 001_a" in said
    assert "Repaired 002_c" in said
    assert "beef" not in said  # migration-status doesn't compare those, and doesn't call it so
    assert "modified" not in history.alembic("migration-status", "--check").out
    assert "Repaired beef" in history.alembic("repair-db", "beef", "--accept-checksum", "--yes").out


def test_accepting_needs_the_file_and_the_right(history: Project) -> None:
    for file in history.versions.glob("002*"):
        file.unlink()
    said = history.alembic("repair-db", "002", "--accept-checksum", "--yes", code=1)
    assert "No file of this release has 002 c." in said.err


def test_accepting_needs_the_right_to_update(history: Project) -> None:
    name = f"r{time.monotonic_ns()}"
    history.execute(
        f"CREATE ROLE {name}",
        f"GRANT SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA public TO {name}",
    )
    try:
        history.table("001_a", "a", "-- changed\n")
        env = (history.root / "migrations" / "env.py").read_text()
        history.write_env(
            env.replace(
                "        context.configure(connection=connection",
                f"        connection.exec_driver_sql('SET ROLE {name}')\n"
                "        connection.commit()\n"
                "        context.configure(connection=connection",
            )
        )
        said = history.alembic("repair-db", "001", "--accept-checksum", "--yes", code=1)
        assert "may not change rows of the ledger public.schema_migrations" in said.err
        assert "GRANT UPDATE on it." in said.err
        history.alembic("repair-db", "001", "--forget", "--yes")
        assert history.ledger() == ["002", "beef"]
    finally:
        history.write_env(env)
        history.execute(f"DROP OWNED BY {name}", f"DROP ROLE {name}")


# Forgotten


def test_the_top_is_forgotten_and_pending(history: Project) -> None:
    history.alembic("repair-db", "002", "--forget", "--yes")
    assert (history.ledger(), history.heads()) == (["001", "beef"], ["beef"])
    assert history.log()[-1] == ("002", "forgotten")
    assert state(history, "002") == "pending"
    assert "already exists" in history.alembic("upgrade", "head", code=1).err
    history.execute("DROP TABLE c")
    history.alembic("upgrade", "head")
    assert history.applied() == ["001", "beef", "002"]


def test_the_middle_is_forgotten_and_out_of_order(history: Project) -> None:
    history.alembic("repair-db", "be", "--forget", "--yes")
    assert (history.ledger(), history.heads()) == (["001", "002"], ["002"])
    assert "beef script beef (pending) ⚠️  out of order" in history.alembic("migration-status").out
    history.execute("DROP TABLE b")
    history.alembic("upgrade", "head")
    assert history.applied() == ["001", "beef", "002"]


def test_everything_is_forgotten_one_by_one(history: Project) -> None:
    for version in ("beef", "002", "001"):
        history.alembic("repair-db", version, "--forget", "--yes")
    assert (history.ledger(), history.heads()) == ([], [])
    assert history.tables() == {"a", "b", "c"}


@pytest.mark.parametrize("version", ["002", "003"])
def test_what_has_no_file_is_forgotten(history: Project, version: str) -> None:
    history.table("003_d", "d")
    history.table("004_e", "e")
    history.alembic("upgrade", "head")
    for number in ("002", "003", "004"):
        for file in history.versions.glob(f"{number}*"):
            file.unlink()
    said = history.alembic("repair-db", version, "--forget", "--yes")
    assert "applied → unknown" in said.err
    left = sorted({"001", "beef", "002", "003", "004"} - {version})
    assert history.ledger() == left
    # The next run must not lose what stood below it.
    history.alembic("repair-db", "004", "--forget", "--yes")
    assert history.ledger() == sorted(set(left) - {"004"})
    name = "SELECT name FROM schema_migrations_log WHERE outcome = 'forgotten' ORDER BY id"
    assert [row[0] for row in history.query(name)] == [{"002": "c", "003": "d"}[version], "e"]


# Marked as applied


@pytest.mark.parametrize("middle", [True, False])
def test_a_revision_is_marked_as_applied(history: Project, middle: bool) -> None:
    history.table("003_d", "d")
    history.table("004_e", "e")
    version, other = ("004", "003") if middle else ("003", "004")
    said = history.alembic("repair-db", version, "--mark-applied", "--yes")
    assert f"- version table: 002 → {version}" in said.err
    assert ("Below what is applied then, and pending, out of order: 003_d." in said.err) == middle
    assert history.log()[-1] == (version, "stamped")
    assert history.heads() == [version]
    history.alembic("upgrade", "head")
    assert history.tables() == {"a", "b", "c", {"003": "d", "004": "e"}[other]}
    assert history.applied() == ["001", "beef", "002", "003", "004"]


def test_a_script_revision_is_forgotten_and_marked_again(history: Project) -> None:
    before = records(history)
    history.alembic("repair-db", "beef", "--forget", "--yes")
    history.alembic("repair-db", "beef", "--mark-applied", "--yes")
    assert [row[0] for row in records(history)[0]] == [row[0] for row in before[0]]
    assert checksum(history, "beef") == before[0][2][3]
    assert history.heads() == ["002"]
    history.alembic("rollback-db", "--all", "--yes")
    assert history.tables() == set()


def test_marking_creates_the_ledger(project: Project) -> None:
    project.table("001_a", "a")
    project.table("002_b", "b")
    project.alembic("repair-db", "001", "--mark-applied", "--yes")
    assert (project.ledger(), project.heads()) == (["001"], ["001"])
    project.alembic("upgrade", "head")
    assert project.tables() == {"b"}


def test_what_plain_alembic_did_is_taken_in_and_told(history: Project) -> None:
    history.table("003_d", "d")
    history.execute("UPDATE alembic_version SET version_num = 'beef'")
    said = history.alembic("repair-db", "003", "--mark-applied", "--yes").err
    assert "Not covered by the version table, and taken out of the ledger: 002." in said
    assert "- version table: beef → 003" in said
    assert history.ledger() == ["001", "003", "beef"]


# Partial

UP = """-- Transaction: none
CREATE TABLE one (a int);
CALL p();
CREATE TABLE three (a int);
"""
DOWN = """-- Transaction: none
DROP TABLE three;
DO $$ BEGIN PERFORM pg_sleep(60); END $$;
DROP TABLE one;
"""


def killed(project: Project, running: str, *args: str) -> None:
    """SIGKILL the client while the server runs a statement, then end that, too."""
    process = project.start(*args)
    sql = (
        f"SELECT pid FROM pg_stat_activity WHERE query LIKE '{running}%' AND state = 'active' "
        "AND wait_event = 'PgSleep' AND datname = current_database()"
    )
    deadline = time.monotonic() + 60
    while not (found := project.query(sql)):
        assert time.monotonic() < deadline, f"{running} was not seen"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    project.query(f"SELECT pg_terminate_backend({found[0][0]})")
    while project.query(f"SELECT 1 FROM pg_stat_activity WHERE pid = {found[0][0]}"):
        time.sleep(0.01)


@pytest.fixture
def doubtful(project: Project) -> Project:
    """Statement 2 of 3 is in doubt; run again it would add a second row."""
    project.pair(
        "001_p",
        "CREATE TABLE t (a int); CREATE TABLE pause (seconds int);"
        "INSERT INTO pause VALUES (60);"
        "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t VALUES (1); COMMIT; "
        "PERFORM pg_sleep(seconds) FROM pause; END $$;",
        "DROP PROCEDURE p; DROP TABLE t, pause;",
    )
    project.alembic("upgrade", "head")
    project.pair("002_u", UP, "DROP TABLE IF EXISTS one, three;\n")
    killed(project, "CALL p", "upgrade", "head")
    project.execute("UPDATE pause SET seconds = 0")
    said = project.alembic("upgrade", "head", code=3).err
    assert "`alembic repair-db 002 --resume-at 2` if it wasn't, or 3 if it was" in said
    return project


@pytest.mark.parametrize(("at", "rows"), [("2", 2), ("3", 1)])
def test_a_statement_in_doubt_is_decided(doubtful: Project, at: str, rows: int) -> None:
    said = doubtful.alembic("repair-db", "002", "--resume-at", at, "--yes")
    after = "not executed" if at == "2" else "executed"
    assert f"- statement 2 (CALL p()): in doubt → {after}\n" in said.err
    assert "version table" not in said.err
    again = doubtful.alembic("upgrade", "head").err
    assert f"002_u goes on at statement {at} of 3." in again
    assert doubtful.query("SELECT count(*) FROM t") == [(rows,)]
    assert doubtful.tables() == {"t", "pause", "one", "three"}
    assert doubtful.applied() == ["001", "002"]


def test_what_was_said_is_in_the_log(doubtful: Project) -> None:
    doubtful.alembic("repair-db", "002", "--resume-at", "3", "--yes")
    rows = doubtful.query(
        "SELECT direction, outcome, statement_number, statement_total, statement "
        "FROM schema_migrations_log WHERE version = '002' ORDER BY id DESC LIMIT 2"
    )
    assert rows == [("up", "skipped", 2, 3, "CALL p()"), ("up", "reset", 3, 3, None)]
    (found,) = [one for one in doubtful.status()["revisions"] if one["version"] == "002"]
    assert found["partial"]["shown"] == "statement 3 of 3"
    assert (found["partial"]["done"], found["partial"]["in_doubt"]) == ([1, 2], None)
    assert doubtful.ledger() == ["001"]


@pytest.mark.parametrize("at", ["2", "3"])
def test_it_can_be_undone_from_there(doubtful: Project, at: str) -> None:
    said = doubtful.alembic("rollback-db", "002", "--yes", code=3).err
    assert "nobody can tell whether statement 2 (CALL p())" in said
    doubtful.alembic("repair-db", "002", "--resume-at", at, "--yes")
    doubtful.alembic("rollback-db", "002", "--yes")
    assert doubtful.tables() == {"t", "pause"}
    assert state(doubtful, "002") == "pending"


def test_all_statements_can_be_told_executed(doubtful: Project) -> None:
    doubtful.execute("CREATE TABLE three (a int)")
    said = doubtful.alembic("repair-db", "002", "--resume-at", "4", "--yes")
    assert "partial, all 3 statements, not recorded" in said.err
    assert "- statement 3 (CREATE TABLE three (a int)): not executed → executed" in said.err
    assert "- log: reset 002, and skipped for 2 statements" in said.err
    doubtful.alembic("upgrade", "head")
    assert doubtful.applied() == ["001", "002"]
    assert doubtful.query("SELECT count(*) FROM t") == [(1,)]
    assert doubtful.log()[-1] == ("002", "applied")


def test_it_can_be_told_more_than_once(doubtful: Project) -> None:
    doubtful.alembic("repair-db", "002", "--resume-at", "3", "--yes")
    said = doubtful.alembic("repair-db", "002", "--resume-at", "3", "--yes", code=1)
    assert "002_u goes on at statement 3 already." in said.err
    doubtful.alembic("repair-db", "002", "--resume-at", "4", "--yes")
    assert "all 3 statements" in doubtful.alembic("migration-status").out


@pytest.mark.parametrize(
    ("at", "says"),
    [
        ("0", "--resume-at takes a number from 1 to 4 here, not 0: 002_u has 3 statements"),
        ("5", "and 4 means that all were executed"),
        ("1", "--resume-at 1: statement 1 of 002_u was executed, and would be executed again."),
    ],
)
def test_an_impossible_place_is_refused(doubtful: Project, at: str, says: str) -> None:
    before = records(doubtful)
    said = doubtful.alembic("repair-db", "002", "--resume-at", at, "--yes", code=2)
    assert says in said.err
    assert records(doubtful) == before


def test_the_last_run_stays_the_last_run(doubtful: Project) -> None:
    doubtful.alembic("repair-db", "002", "--resume-at", "3", "--yes")
    doubtful.table("003_d", "d")
    doubtful.alembic("upgrade", "head")
    doubtful.alembic("rollback-db", "--last-run", "--yes")
    assert doubtful.applied() == ["001"]


def test_a_partial_revision_is_cleared(doubtful: Project) -> None:
    said = doubtful.alembic("repair-db", "002", "--clear-partial", "--yes")
    assert "- 002_u: partial, statement 2 of 3 → pending" in said.err
    assert "What its one executed statement has done stays in the database." in said.err
    assert doubtful.log()[-1] == ("002", "cleared")
    assert state(doubtful, "002") == "pending"
    doubtful.execute("DROP TABLE one")
    doubtful.alembic("upgrade", "head")
    assert doubtful.applied() == ["001", "002"]


def test_a_partial_revision_is_marked_as_applied(doubtful: Project) -> None:
    said = doubtful.alembic("repair-db", "002", "--mark-applied", "--yes")
    assert "- 002_u: partial, statement 2 of 3 → applied" in said.err
    assert doubtful.applied() == ["001", "002"]
    assert doubtful.heads() == ["002"]
    doubtful.alembic("rollback-db", "002", "--yes")
    assert doubtful.tables() == {"t", "pause"}


def test_a_partial_revision_is_not_there_to_be_forgotten(doubtful: Project) -> None:
    said = doubtful.alembic("repair-db", "002", "--forget", "--yes", code=1)
    assert "002_u is not applied. It was begun: --clear-partial forgets that of 002." in said.err


def test_a_partial_revision_without_its_file(doubtful: Project) -> None:
    for file in doubtful.versions.glob("002*"):
        file.unlink()
    said = doubtful.alembic("repair-db", "002", "--resume-at", "3", "--yes", code=1)
    assert "No file of this release has 002 u, so it cannot go on anywhere." in said.err
    said = doubtful.alembic("repair-db", "002", "--clear-partial", "--yes")
    assert "- 002 u: partial, statement 2 of 3 → unknown" in said.err
    assert "partial" not in doubtful.alembic("migration-status").out


def test_what_a_broken_statement_left_is_told(project: Project) -> None:
    project.pair("001_t", "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1);", "DROP TABLE t;")
    project.pair("002_i", "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a);", "DROP INDEX i;")
    project.alembic("upgrade", "head", code=5)
    said = project.alembic("repair-db", "002", "--clear-partial", "--yes").err
    sql = "DROP INDEX CONCURRENTLY IF EXISTS i"
    assert f"A statement of 002_i broke off; run `{sql}` for it." in said
    assert state(project, "002") == "pending"


@pytest.fixture
def half(project: Project) -> Project:
    """A rollback whose statement 2 of 3 is in doubt."""
    project.pair("001_u", "CREATE TABLE one (a int); CREATE TABLE three (a int);", DOWN)
    project.alembic("upgrade", "head")
    killed(project, "DO ", "rollback-db", "001", "--yes")
    said = project.alembic("rollback-db", "001", "--yes", code=3).err
    assert "`alembic repair-db 001 --resume-at 2` if it wasn't, or 3 if it was" in said
    return project


def test_a_rollback_in_doubt_goes_on(half: Project) -> None:
    said = half.alembic("repair-db", "001", "--resume-at", "3", "--yes").err
    assert "partial, rollback, statement 2 of 3 → partial, rollback, statement 3 of 3" in said
    half.alembic("rollback-db", "001", "--yes")
    assert (half.tables(), half.ledger()) == (set(), [])


def test_a_half_rolled_back_revision_is_cleared_and_applied(half: Project) -> None:
    said = half.alembic("repair-db", "001", "--clear-partial", "--yes").err
    assert "- 001_u: partial, rollback, statement 2 of 3 → applied" in said
    assert half.applied() == ["001"]
    half.pair("001_u", "SELECT 1;", "DROP TABLE one;")
    half.alembic("rollback-db", "001", "--yes")
    assert half.tables() == set()


def test_clearing_keeps_the_place_of_what_has_no_file(project: Project) -> None:
    project.table("000_z", "z")
    project.pair("001_u", "CREATE TABLE one (a int); CREATE TABLE three (a int);", DOWN)
    project.alembic("upgrade", "head")
    killed(project, "DO ", "rollback-db", "001", "--yes")
    for file in project.versions.glob("001*"):
        file.unlink()
    project.alembic("repair-db", "001", "--clear-partial", "--yes")
    project.table("002_b", "b", "-- Revises: 000\n")
    project.alembic("repair-db", "002", "--mark-applied", "--yes")
    assert (project.ledger(), project.heads()) == (["000", "001", "002"], ["001", "002"])


def test_a_half_rolled_back_revision_is_forgotten(half: Project) -> None:
    assert (
        "half rolled back: --clear-partial"
        in half.alembic("repair-db", "001", "--mark-applied", "--yes", code=1).err
    )
    half.alembic("repair-db", "001", "--forget", "--yes")
    assert (half.ledger(), half.heads(), state(half, "001")) == ([], [], "pending")


def test_accepting_a_checksum_leaves_it_partial(half: Project) -> None:
    half.pair("001_u", "CREATE TABLE one (a int); CREATE TABLE three (b int);", DOWN)
    half.alembic("repair-db", "001", "--accept-checksum", "--yes")
    assert state(half, "001") == "partial"


def test_an_executed_statement_that_was_taken_from_the_file(half: Project) -> None:
    (half.versions / "001_u.down.sql").write_text("-- Transaction: none\nDROP TABLE one;\n")
    half.alembic("repair-db", "001", "--resume-at", "1", "--yes")
    half.alembic("rollback-db", "001", "--yes")
    assert half.tables() == set()


def test_an_executed_statement_that_was_changed(half: Project) -> None:
    (half.versions / "001_u.down.sql").write_text(
        "-- Transaction: none\nDROP TABLE three CASCADE;\nSELECT 1;\nDROP TABLE one;\n"
    )
    half.alembic("rollback-db", "001", "--yes", code=3)
    said = half.alembic("repair-db", "001", "--resume-at", "3", "--yes").err
    assert "statement 1 (DROP TABLE three CASCADE): executed with another text → executed" in said
    half.alembic("rollback-db", "001", "--yes")
    assert half.tables() == set()


def test_a_stored_down_goes_on_without_its_file(half: Project) -> None:
    for file in half.versions.glob("001*"):
        file.unlink()
    half.alembic("repair-db", "001", "--resume-at", "3", "--yes")
    half.alembic("rollback-db", "001", "--yes")
    assert half.tables() == set()


def test_a_script_revision_has_no_place(project: Project) -> None:
    project.script(
        "b1",
        None,
        "op.execute('CREATE TABLE t (a int)')\n    with op.get_context().autocommit_block():\n"
        "        op.execute('CREATE INDEX CONCURRENTLY i1 ON t (a)')\n"
        "        op.execute('SELECT 1/0')",
    )
    project.alembic("upgrade", "head", code=None)
    assert state(project, "b1") == "partial"
    said = project.alembic("repair-db", "b1", "--resume-at", "2", "--yes", code=2)
    assert "b1 script b1 is no pair: it runs again from its beginning" in said.err
    project.alembic("repair-db", "b1", "--clear-partial", "--yes")
    assert state(project, "b1") == "pending"
    project.alembic("repair-db", "b1", "--mark-applied", "--yes")
    assert project.applied() == ["b1"]


# Other tools


@pytest.fixture
def migrated(project: Project) -> Project:
    """Three pairs whose ups another tool has run."""
    project.write_ini("ledger_table = our_ledger")
    for number, name in ((1, "a"), (2, "b"), (3, "c")):
        project.table(f"{number:06}_{name}", name)
    project.execute("CREATE TABLE a (id int)", "CREATE TABLE b (id int)")
    return project


def ledger(project: Project) -> list[str]:
    return [row[0] for row in project.query("SELECT version FROM our_ledger ORDER BY 1")]


GOLANG = "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)"
DBMATE = "CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)"


def test_golang_migrate_is_adopted(migrated: Project) -> None:
    migrated.execute(GOLANG, "INSERT INTO schema_migrations VALUES (2, false)")
    said = migrated.alembic("repair-db", "--adopt", "golang-migrate", "--yes")
    assert "- 000002_b: pending → applied" in said.err
    assert "- version table: none → 000002" in said.err
    assert "- log: adopted 000001, 000002; from public.schema_migrations" in said.err
    assert (ledger(migrated), migrated.heads()) == (["000001", "000002"], ["000002"])
    migrated.alembic("upgrade", "head")
    assert migrated.tables() == {"a", "b", "c", "our_ledger", "our_ledger_log"}
    migrated.alembic("rollback-db", "000001", "--yes")
    again = migrated.alembic("repair-db", "--adopt", "golang-migrate", "--yes")
    assert "- 000001_a: pending → applied" in again.err
    idle = migrated.alembic("repair-db", "--adopt", "golang-migrate", "--yes")
    assert "Everything of golang-migrate's public.schema_migrations is applied here" in idle.out


def test_a_dirty_flag_is_refused(migrated: Project) -> None:
    migrated.execute(GOLANG, "INSERT INTO schema_migrations VALUES (2, true)")
    said = migrated.alembic("repair-db", "--adopt", "golang-migrate", "--yes", code=3)
    assert "schema_migrations is dirty at version 2: that migration failed half-way." in said.err
    assert "`migrate force VERSION`" in said.err
    assert migrated.query("SELECT to_regclass('our_ledger')") == [(None,)]


def test_a_version_of_theirs_without_a_pair_is_told(migrated: Project) -> None:
    migrated.execute(GOLANG, "INSERT INTO schema_migrations VALUES (9, false)")
    said = migrated.alembic("repair-db", "--adopt", "golang-migrate", "--dry-run")
    assert "golang-migrate stands at version 9, of which there is no pair here." in said.out
    migrated.execute("UPDATE schema_migrations SET version = 0")
    said = migrated.alembic("repair-db", "--adopt", "golang-migrate", "--yes", code=1)
    assert "Nothing of golang-migrate's public.schema_migrations has a pair here." in said.err


def test_dbmate_is_adopted(migrated: Project) -> None:
    migrated.table("20240101120000_d", "d")
    versions = "('000001'), ('000003'), ('20230101120000')"
    migrated.execute(
        "CREATE SCHEMA old",
        DBMATE.replace("schema_migrations", "old.versions"),
        f"INSERT INTO old.versions VALUES {versions}",
    )
    said = migrated.alembic(
        "repair-db", "--adopt", "dbmate", "--from-table", "old.versions", "--yes"
    ).err
    assert "dbmate has applied, and no pair here has: 20230101120000." in said
    assert "Older than dbmate's newest and not applied there: 000002_b." in said
    assert "Below what is applied then, and pending, out of order: 000002_b." in said
    assert (ledger(migrated), migrated.heads()) == (["000001", "000003"], ["000003"])
    assert migrated.query("SELECT version, outcome FROM our_ledger_log ORDER BY id") == [
        ("000001", "adopted"),
        ("000003", "adopted"),
    ]
    migrated.execute("DROP TABLE b")
    migrated.alembic("upgrade", "head")
    assert ledger(migrated) == ["000001", "000002", "000003", "20240101120000"]


@pytest.mark.parametrize(("tool", "ddl"), [("golang-migrate", GOLANG), ("dbmate", DBMATE)])
def test_their_default_table_has_our_default_name(project: Project, tool: str, ddl: str) -> None:
    project.table("001_a", "a")
    project.execute(ddl)
    said = project.alembic("repair-db", "--adopt", tool, "--yes", code=1)
    assert "public.schema_migrations is another tool's" in said.err
    assert "Set `ledger_table = …` in [alembic_rollback] to a free name." in said.err


@pytest.mark.parametrize(
    ("tool", "ddl"),
    [
        ("golang-migrate", DBMATE),
        ("dbmate", GOLANG),
        ("dbmate", "CREATE TABLE schema_migrations (x int)"),
    ],
)
def test_a_table_of_another_shape_is_refused(migrated: Project, tool: str, ddl: str) -> None:
    migrated.execute(ddl)
    said = migrated.alembic("repair-db", "--adopt", tool, "--yes", code=1)
    assert f"public.schema_migrations hasn't the columns of {tool}'s table." in said.err


def test_a_table_with_an_odd_name(migrated: Project) -> None:
    migrated.execute('CREATE TABLE "My %% ""Table" (version text)')
    migrated.execute("""INSERT INTO "My %% ""Table" VALUES ('000001')""")
    migrated.alembic("repair-db", "--adopt", "dbmate", "--from-table", 'My % "Table', "--yes")
    assert ledger(migrated) == ["000001"]


# For programs; several databases; meanwhile


def test_the_result_as_json(history: Project) -> None:
    was = checksum(history, "002")
    planned = json.loads(history.alembic("repair-db", "002", "--forget", "--dry-run", "--json").out)
    done = json.loads(history.alembic("repair-db", "002", "--forget", "--yes", "--json").out)
    (one,), (would,) = done["databases"], planned["databases"]
    assert (bool(one.pop("run_id")), one.pop("executed")) == (True, True)
    assert (would.pop("run_id"), would.pop("executed")) == (None, False)
    assert one == would
    assert one.pop("database") == history.url.database
    assert one == {
        "action": "forget",
        "changes": [
            {
                "version": "002",
                "name": "c",
                "outcome": "forgotten",
                "state": {"before": "applied", "after": "pending"},
                "checksum": {"before": was, "after": None},
                "resume_at": None,
                "statements": [],
            }
        ],
        "version_table": {"before": ["002"], "after": ["beef"]},
        "source": None,
        "notes": [],
        "why_not": None,
    }


@pytest.fixture
def tenants(project: Project) -> Project:
    """Two schemas with a version table each; 001 is applied in both, 002 in s1."""
    env = ENV.split("else:")[0].format(url=project.shown_url, options="{}")
    project.write_env(
        env
        + """else:
    for schema in ("s1", "s2"):
        with create_engine(URL, poolclass=NullPool).connect() as connection:
            connection.exec_driver_sql(f"SET search_path TO {schema}")
            connection.commit()
            context.configure(connection=connection, version_table_schema=schema)
            with context.begin_transaction():
                context.run_migrations()
"""
    )
    project.execute("CREATE SCHEMA s1", "CREATE SCHEMA s2")
    project.table("001_a", "a")
    project.alembic("upgrade", "head")
    project.table("002_b", "b")
    project.alembic("upgrade", "head")
    project.execute(
        "DELETE FROM s2.schema_migrations WHERE version = '002'",
        "UPDATE s2.alembic_version SET version_num = '001'",
    )
    return project


def versions(project: Project, schema: str) -> list[str]:
    found = project.query(f"SELECT version FROM {schema}.schema_migrations ORDER BY 1")
    return [row[0] for row in found]


def test_of_several_databases_those_where_it_applies(tenants: Project) -> None:
    said = tenants.alembic("repair-db", "002", "--forget", "--yes")
    name = tenants.url.database
    assert f"This will change in {name}.s1:" in said.err
    assert f"Repaired 002_b in {name}.s1: applied → pending" in said.out
    assert f"Nothing to repair in {name}.s2: 002_b is not applied." in said.out
    assert (versions(tenants, "s1"), versions(tenants, "s2")) == (["001"], ["001"])
    said = tenants.alembic("repair-db", "002", "--forget", "--yes", code=1)
    assert "002_b is not applied. Nothing was changed." in said.err
    tenants.alembic("repair-db", "002", "--mark-applied", "--yes")
    assert (versions(tenants, "s1"), versions(tenants, "s2")) == (["001", "002"], ["001", "002"])


def test_a_version_that_only_one_database_knows(tenants: Project) -> None:
    for file in tenants.versions.glob("002*"):
        file.unlink()
    said = tenants.alembic("repair-db", "002", "--forget", "--yes")
    assert "s2: No revision '002'." in said.out
    assert versions(tenants, "s1") == ["001"]


def test_what_was_shown_must_still_be_so(history: Project) -> None:
    def meanwhile(_: object) -> None:
        history.alembic("repair-db", "001", "--forget", "--yes")

    with pytest.raises(Blocked, match="Somebody else has changed it meanwhile") as caught:
        commands.repair(history.config, RepairRequest("forget", "001"), confirm=meanwhile)
    assert "001_a is not applied" in caught.value.what
    assert history.ledger() == ["002", "beef"]

    def file(_: object) -> None:
        history.table("001_a", "a", "-- changed meanwhile\n")

    with pytest.raises(Blocked, match="what is recorded is not what was shown"):
        commands.repair(history.config, RepairRequest("mark-applied", "001"), confirm=file)
    assert history.ledger() == ["002", "beef"]


def test_the_first_of_several_is_told_where_the_second_stops(tenants: Project) -> None:
    def meanwhile(_: object) -> None:
        tenants.execute("DELETE FROM s2.schema_migrations", "DELETE FROM s2.alembic_version")

    with pytest.raises(Blocked) as caught:
        commands.repair(tenants.config, RepairRequest("forget", "001"), confirm=meanwhile)
    name = tenants.url.database
    assert caught.value.state == f"It was repaired before in {name}.s1, and nowhere else."


def test_in_code_it_returns_what_was_done(history: Project) -> None:
    (found,) = commands.repair(history.config, RepairRequest("forget", "002"))
    assert (found.executed, bool(found.run_id)) == (True, True)
    assert [one.version for one in found.changes] == ["002"]
    with pytest.raises(UsageError):
        RepairRequest("drop", "002")


def test_another_runner_is_waited_for_as_long_as_asked(history: Project) -> None:
    from alembic_rollback.ledger import Ledger

    key = Ledger("public", "schema_migrations").lock_key
    with create_engine(history.url, poolclass=NullPool).connect() as other:
        other.exec_driver_sql(f"SELECT pg_advisory_xact_lock({key})")
        said = history.alembic(
            "repair-db", "001", "--forget", "--yes", "--lock-wait", "300ms", code=3
        )
    assert "Traceback" not in said.text
    assert history.ledger() == ["001", "002", "beef"]


def test_a_read_only_session_is_refused_before_asking(history: Project) -> None:
    history.execute(f'ALTER DATABASE "{history.url.database}" SET default_transaction_read_only=on')
    said = history.alembic("repair-db", "001", "--forget", "--yes", code=1)
    assert "The session is read only" in said.err
    assert "WARNING" not in said.err
    history.alembic("repair-db", "001", "--forget", "--dry-run")


def test_what_is_not_committed_is_not_announced(history: Project) -> None:
    env = (history.root / "migrations" / "env.py").read_text()
    without = env.replace("with context.begin_transaction():", "if True:")
    history.write_env(without)
    said = history.alembic("repair-db", "001", "--forget", "--yes", code=1)
    assert "ran, but was not committed" in said.err
    assert history.ledger() == ["001", "002", "beef"]


@pytest.mark.parametrize("options", ["{'transaction_per_migration': True}", "{}"])
def test_whatever_env_py_says_about_transactions(project: Project, options: str) -> None:
    project.write_env(ENV.format(url=project.shown_url, options=options))
    project.table("001_a", "a")
    project.alembic("repair-db", "001", "--mark-applied", "--yes")
    assert (project.ledger(), project.heads()) == (["001"], ["001"])


def test_an_engine_without_transactions(project: Project) -> None:
    env = ENV.format(url=project.shown_url, options="{}")
    project.write_env(env.replace("poolclass=NullPool)", "isolation_level='AUTOCOMMIT')"))
    project.table("001_a", "a")
    project.alembic("repair-db", "001", "--mark-applied", "--yes")
    assert (project.ledger(), project.heads()) == (["001"], ["001"])
