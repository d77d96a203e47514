"""rollback-db end to end: the four forms, the middle of the history, errors, modes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from alembic import command
from sqlalchemy import create_engine

from alembic_rollback import commands
from alembic_rollback.errors import Blocked, UsageError
from alembic_rollback.planning import Request
from tests.project import ENV, Project


@pytest.fixture
def history(project: Project) -> Project:
    """Four revisions, all applied: pair a, script b, pairs c and d."""
    project.table("001_a", "a")
    project.script(
        "beef", "001", "op.execute('CREATE TABLE b (id int)')", "op.execute('DROP TABLE b')"
    )
    project.table("002_c", "c", "-- Revises: beef\n")
    project.table("003_d", "d")
    command.upgrade(project.config, "head")
    return project


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (["002"], ["001", "beef", "003"]),
        (["003", "001"], ["beef", "002"]),
        (["--to", "beef"], ["001", "beef"]),
        (["--to", "base"], []),
        (["--all"], []),
        (["--last", "3"], ["001"]),
        (["be"], ["001", "002", "003"]),
        (["head"], ["001", "beef", "002"]),
    ],
)
def test_each_form_rolls_back_what_it_names(
    history: Project, arguments: list[str], left: list[str]
) -> None:
    history.alembic("rollback-db", *arguments, "--yes")
    assert history.applied() == left
    assert history.ledger() == sorted(left)
    tables = {"001": "a", "beef": "b", "002": "c", "003": "d"}
    assert history.tables() == {tables[version] for version in left}


def test_what_was_taken_from_the_middle_is_pending_and_applied_again(history: Project) -> None:
    said = history.alembic("rollback-db", "001", "--yes")
    assert "Applied later, and staying applied:\n- beef script beef\n- 002_c\n- 003_d" in said.err
    assert history.heads() == ["003"]
    again = history.alembic("upgrade", "head")
    assert "001_a is out of order" in again.err
    assert history.applied() == ["001", "beef", "002", "003"]
    assert history.tables() == {"a", "b", "c", "d"}


def test_top_over_a_hole_then_base(history: Project) -> None:
    history.alembic("rollback-db", "002", "--yes")
    history.alembic("rollback-db", "003", "--yes")
    assert history.heads() == ["beef"]
    history.alembic("downgrade", "base")
    assert (history.ledger(), history.heads(), history.tables()) == ([], [], set())


def test_a_hole_can_be_filled_alone(history: Project) -> None:
    history.alembic("rollback-db", "001", "002", "--yes")
    history.alembic("upgrade", "002")
    assert history.applied() == ["001", "beef", "002", "003"]


def test_relative_upgrade_counts_pending_revisions(history: Project) -> None:
    history.alembic("rollback-db", "001", "002", "--yes")
    history.alembic("upgrade", "+1")
    assert history.applied() == ["001", "beef", "003"]


def test_alembic_downgrade_steps_over_holes(history: Project) -> None:
    history.alembic("rollback-db", "002", "--yes")
    history.alembic("downgrade", "001")
    assert (history.applied(), history.tables()) == (["001"], {"a"})


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "Say what to roll back, in one form"),
        (["001", "--all"], 2, "in one form"),
        (["--last", "0"], 2, "--last takes a number from 1"),
        (["--last", "9"], 2, "only 4 revisions are applied"),
        (["--last", "x"], 2, "not a valid integer"),
        (["nope"], 2, "No revision 'nope'"),
        (["03"], 2, "No revision '03'. Did you mean 003?"),
        (["00"], 2, "'00' is ambiguous: 001, 002, 003"),
        (["--lock-timeout", "soon", "001"], 2, "'soon' is not a duration"),
        (["--nonsense"], 2, "No such option"),
    ],
)
def test_a_wrong_request_is_one_line_and_changes_nothing(
    history: Project, arguments: list[str], code: int, says: str
) -> None:
    said = history.alembic("rollback-db", *arguments, "--yes", code=code)
    assert says in said.err
    assert "Traceback" not in said.text
    assert history.ledger() == ["001", "002", "003", "beef"]


def test_not_applied_is_said(history: Project) -> None:
    history.alembic("rollback-db", "003", "--yes")
    said = history.alembic("rollback-db", "003", "--yes", code=1)
    assert "003_d is not applied" in said.err
    assert "Nothing was changed" in said.err


def test_nothing_applied_is_nothing_to_do(project: Project) -> None:
    project.table("001_a", "a")
    assert "Nothing to roll back" in project.alembic("rollback-db", "--all").out


def test_missing_down_is_refused_before_anything_runs(history: Project) -> None:
    (history.versions / "002_c.down.sql").unlink()
    said = history.alembic("rollback-db", "--last", "2", "--yes", code=1)
    assert "002_c has no down script" in said.err
    assert "alembic generate-down 002_c.up.sql" in said.err
    assert history.tables() == {"a", "b", "c", "d"}


def test_irreversible_is_blocked_with_its_reason(history: Project) -> None:
    (history.versions / "002_c.down.sql").write_text("-- Irreversible: the mails are sent\n")
    said = history.alembic("rollback-db", "002", "--yes", code=3)
    assert "002_c is marked irreversible: the mails are sent" in said.err


def test_an_empty_down_runs(history: Project) -> None:
    (history.versions / "002_c.down.sql").write_text("-- nothing to undo\n")
    history.alembic("rollback-db", "002")
    assert "c" in history.tables()
    assert history.applied() == ["001", "beef", "003"]


def test_a_down_that_does_not_parse_stops_the_whole_plan(history: Project) -> None:
    (history.versions / "001_a.down.sql").write_text("DROP TABLE a;\nDROP TABEL b;\n")
    said = history.alembic("rollback-db", "--all", "--yes", code=1)
    assert "001_a.down.sql:2:6: syntax error" in said.err
    assert history.tables() == {"a", "b", "c", "d"}


def test_a_failing_statement_is_placed_and_undoes_everything(history: Project) -> None:
    (history.versions / "001_a.down.sql").write_text("-- é\nDROP TABLE a;\n  DROP TABLE nowhere;\n")
    said = history.alembic("rollback-db", "--all", "--yes", code=1)
    assert (
        'migrations/versions/001_a.down.sql:3:3: table "nowhere" does not exist (42P01)' in said.err
    )
    assert "The database is unchanged" in said.err
    assert "alembic rollback-db 001" in said.err
    assert "Traceback" not in said.text
    assert history.tables() == {"a", "b", "c", "d"}
    assert history.log()[-1] == ("001", "failed")
    failed = {r["version"]: r["last_failure"] for r in history.status()["revisions"]}
    assert "nowhere" in failed["001"]["error"]
    assert failed["002"] is None


def test_each_step_in_its_own_transaction_stops_part_way(history: Project) -> None:
    (history.versions / "001_a.down.sql").write_text("DROP TABLE nowhere;\n")
    said = history.alembic("rollback-db", "--all", "--yes", "--transaction", "each", code=5)
    assert "003, 002, beef rolled back and committed before it" in said.err
    assert history.applied() == ["001"]
    assert history.tables() == {"a"}


def test_one_transaction_where_env_has_one_for_each(history: Project) -> None:
    history.write_env(
        ENV.format(url=history.shown_url, options="{'transaction_per_migration': True}")
    )
    (history.versions / "001_a.down.sql").write_text("DROP TABLE nowhere;\n")
    said = history.alembic("rollback-db", "--all", "--yes", code=1)
    assert "The database is unchanged" in said.err
    assert history.tables() == {"a", "b", "c", "d"}


def test_sql_is_printed_and_gives_the_same_database_when_run(history: Project) -> None:
    sql = history.alembic("rollback-db", "002", "--sql").out
    assert history.ledger() == ["001", "002", "003", "beef"]
    engine = create_engine(history.url)
    with engine.connect() as connection:
        raw = connection.connection.cursor()
        raw.execute(sql)
        connection.connection.commit()
    engine.dispose()
    assert history.applied() == ["001", "beef", "003"]
    assert history.tables() == {"a", "b", "d"}
    assert history.heads() == ["003"]


def test_json_says_what_was_lost(history: Project) -> None:
    history.execute("INSERT INTO a SELECT generate_series(1, 7)")
    result = json.loads(history.alembic("rollback-db", "001", "--yes", "--json").out)
    (database,) = result["databases"]
    assert database["executed"] is True
    assert database["later_applied"] == ["beef", "002", "003"]
    assert database["steps"][0]["tables"] == [
        {"table": "a", "column": None, "rows": 7, "exact": True, "referenced_by": []}
    ]


def test_a_dry_run_changes_nothing(history: Project) -> None:
    before = (history.log(), history.ledger(), history.tables())
    said = history.alembic("rollback-db", "--all", "--dry-run")
    assert "Would roll back 4 revisions, in this order:\n  003_d\n  002_c\n  beef" in said.out
    assert "Dry run: nothing was changed." in said.out
    assert (history.log(), history.ledger(), history.tables()) == before


def test_a_plan_larger_than_the_lock_table_asks_for_each(project: Project) -> None:
    tables = "".join(f"CREATE TABLE t{n} (id serial PRIMARY KEY);" for n in range(1500))
    project.pair("001_many", tables, "".join(f"DROP TABLE t{n};" for n in range(1500)))
    project.alembic("upgrade", "head", env={"PGOPTIONS": ""}, code=None)
    if not project.tables():
        pytest.skip("this server's lock table does not even hold the upgrade")
    said = project.alembic("rollback-db", "--all", "--yes", code=3)
    assert "--transaction each" in said.err
    assert len(project.tables()) == 1500


def test_concurrently_runs_outside_a_transaction_and_the_plan_says_so(project: Project) -> None:
    project.table("001_a", "a")
    project.pair(
        "002_i", "CREATE INDEX CONCURRENTLY i ON a (id);", "DROP INDEX CONCURRENTLY IF EXISTS i;"
    )
    project.alembic("upgrade", "head")
    shown = project.alembic("rollback-db", "002", "--dry-run").out
    assert "outside a transaction (line 1: DROP INDEX CONCURRENTLY)" in shown
    project.alembic("rollback-db", "--all", "--yes")
    assert (project.applied(), project.tables()) == ([], set())


def test_a_part_way_stop_outside_a_transaction_says_where(project: Project) -> None:
    project.table("001_a", "a")
    project.pair("002_b", "SELECT 1;", "-- Transaction: none\nDROP TABLE a;\nDROP TABLE nowhere;\n")
    project.alembic("upgrade", "head")
    said = project.alembic("rollback-db", "002", "--yes", code=5)
    assert "002_b is partial (statement 2 of 2): statement 1 had been executed" in said.err
    assert project.applied() == ["001"]


def test_lock_timeout_stops_a_rollback_that_would_wait(history: Project) -> None:
    engine = create_engine(history.url)
    with engine.connect() as holder:
        holder.exec_driver_sql("LOCK TABLE a IN ACCESS SHARE MODE")
        said = history.alembic("rollback-db", "001", "--yes", "--lock-timeout", "200ms", code=1)
    engine.dispose()
    assert "lock timeout" in said.err
    assert "a" in history.tables()


def test_statement_timeout_stops_a_long_statement(history: Project) -> None:
    (history.versions / "003_d.down.sql").write_text("SELECT pg_sleep(30);")
    said = history.alembic("rollback-db", "003", "--yes", "--statement-timeout", "200ms", code=1)
    assert "003_d.down.sql:1:1: canceling statement due to statement timeout" in said.err


def test_what_grew_after_it_was_shown_is_not_run(history: Project) -> None:
    def agree_while_rows_arrive(shown: object) -> bool:
        history.execute("INSERT INTO a VALUES (1)")
        return True

    with pytest.raises(Blocked, match="changed since it was shown"):
        commands.rollback(history.config, Request(("001",)), confirm=agree_while_rows_arrive)
    assert "a" in history.tables()


def test_a_file_edited_after_it_was_shown_is_not_run(history: Project) -> None:
    def agree_while_the_file_changes(shown: object) -> bool:
        (history.versions / "001_a.down.sql").write_text("DROP TABLE a, b CASCADE;")
        return True

    with pytest.raises(Blocked, match="changed since it was shown"):
        commands.rollback(history.config, Request(("001",)), confirm=agree_while_the_file_changes)
    assert history.tables() == {"a", "b", "c", "d"}


def test_an_uncommitted_run_is_never_called_done(history: Project) -> None:
    env = history.root / "migrations" / "env.py"
    env.write_text(env.read_text().replace("with context.begin_transaction():", "if True:"))
    said = history.alembic("rollback-db", "003", "--yes", code=1)
    assert "ran, but was not committed" in said.err
    assert "Rolled back" not in said.out
    assert "d" in history.tables()


def test_each_is_refused_in_a_callers_transaction(history: Project) -> None:
    env = history.root / "migrations" / "env.py"
    begun = env.read_text().replace(
        "context.configure(connection=connection, **OPTIONS)",
        "connection.begin(); context.configure(connection=connection, **OPTIONS)",
    )
    env.write_text(begun)
    with pytest.raises(UsageError, match="begun a transaction"):
        commands.rollback(history.config, Request(("003",)), each=True)


def test_the_module_takes_alembics_options(history: Project) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "alembic_rollback", "-c", str(history.root / "alembic.ini"),
         "-x", "a=b", "rollback-db", "003", "--yes"],
        cwd="/", env=history.env(), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    assert history.applied() == ["001", "beef", "002"]
