"""Pairs under Alembic's own commands, failing upgrades, several runners, taking over."""

from __future__ import annotations

import json

import pytest
from alembic import command

from tests.project import ENV, Project, lines


@pytest.fixture
def mixed(project: Project) -> Project:
    """A graph with everything: two branches, a merge, a dependency, labels."""
    project.table("20260101_001_a", "a", "-- Branch labels: main\n")
    project.script("b1", "20260101_001", "op.execute('CREATE TABLE b1 (id int)')",
                   "op.execute('DROP TABLE b1')", labels="side")  # fmt: skip
    project.table("20260101_002_b2", "b2", "-- Revises: 20260101_001\n")
    project.pair(
        "20260101_003_m",
        "-- Revises: 20260101_002, b1\n-- Description: Merge both\nCREATE TABLE m (id int);",
        "DROP TABLE m;",
    )
    project.table("20260101_004_x", "x", "-- Revises: base\n-- Depends on: b1\n")
    return project


def test_every_command_of_alembic_works_with_pairs(mixed: Project) -> None:
    heads = mixed.alembic("heads").out
    assert [line.split()[0] for line in lines(heads)] == ["20260101_003", "20260101_004"]
    assert "Merge both" in mixed.alembic("history").out
    assert "Path: " in mixed.alembic("show", "20260101_003").out
    assert "20260101_003_m.up.sql" in mixed.alembic("show", "20260101_003").out
    assert "20260101_002" in mixed.alembic("branches", "-v").out
    mixed.alembic("upgrade", "heads")
    assert mixed.tables() == {"a", "b1", "b2", "m", "x"}
    current = mixed.alembic("current").out
    assert "20260101_003" in current
    assert "20260101_004" in current
    mixed.alembic("current", "--check-heads")
    mixed.alembic("downgrade", "20260101_001")
    assert mixed.tables() == {"a"}
    mixed.alembic("upgrade", "20260101_002")
    mixed.alembic("downgrade", "-1")
    assert mixed.tables() == {"a"}
    mixed.alembic("upgrade", "heads")
    mixed.alembic("edit", "20260101_003", env={"EDITOR": "cat"})
    mixed.alembic("merge", "-m", "all", "heads")
    mixed.alembic("upgrade", "head")
    mixed.alembic("revision", "-m", "next")
    assert len(lines(mixed.alembic("heads").out)) == 1
    mixed.alembic("downgrade", "base")
    assert (mixed.tables(), mixed.ledger()) == (set(), [])


def test_the_ledger_is_what_was_applied(mixed: Project) -> None:
    mixed.alembic("upgrade", "heads", "--tag", "v1")
    rows = mixed.query(
        "SELECT version, name, checksum ~ '^[0-9a-f]{64}$', execution_time_ms >= 0, "
        "applied_at > now() - interval '1 minute' FROM schema_migrations ORDER BY version"
    )
    assert ("20260101_003", "m", True, True, True) in rows
    assert ("b1", "script b1", True, True, True) in rows
    assert mixed.query("SELECT DISTINCT tag, outcome FROM schema_migrations_log ORDER BY 2") == [
        ("v1", "applied"),
        ("v1", "tagged"),
    ]
    kept = dict(mixed.query("SELECT version, down_sql FROM schema_migrations_log"))
    assert kept["20260101_003"] == "DROP TABLE m;"


def test_execution_time_is_the_scripts(project: Project) -> None:
    project.pair("1_sleep", "SELECT pg_sleep(0.4);", "SELECT 1;")
    project.alembic("upgrade", "head")
    ((elapsed,),) = project.query("SELECT execution_time_ms FROM schema_migrations")
    assert 400 <= elapsed < 3000


def test_offline_sql_makes_the_same_database(mixed: Project, connection: object) -> None:
    sql = mixed.alembic("upgrade", "heads", "--sql").out
    connection.cursor().execute(sql.replace("BEGIN;", "").replace("COMMIT;", ""))  # type: ignore[attr-defined]
    assert mixed.tables() == {"a", "b1", "b2", "m", "x"}
    assert mixed.ledger() == ["20260101_001", "20260101_002", "20260101_003", "20260101_004", "b1"]
    assert mixed.status()["pending"] == 0
    mixed.alembic("downgrade", "base")
    assert mixed.tables() == set()


def test_stamp_and_purge_keep_the_ledger(mixed: Project) -> None:
    mixed.alembic("stamp", "heads")
    assert len(mixed.ledger()) == 5
    mixed.alembic("stamp", "--purge", "20260101_002")
    assert mixed.ledger() == ["20260101_001", "20260101_002"]
    mixed.alembic("stamp", "--purge", "base")
    assert (mixed.ledger(), mixed.heads()) == ([], [])


@pytest.mark.parametrize("schemas", ["{}", "{'include_schemas': True}"])
def test_autogenerate_never_mentions_our_tables(project: Project, schemas: str) -> None:
    options = schemas[:-1] + (", " if len(schemas) > 2 else "") + "'target_metadata': M}"
    text = ENV.format(url=project.shown_url, options=options)
    project.write_env("from sqlalchemy import MetaData\nM = MetaData()\n" + text)
    project.pair("1_nothing", "SELECT 1;", "SELECT 1;")
    project.alembic("upgrade", "head")
    assert "No new upgrade operations" in project.alembic("check").out
    project.alembic("revision", "--autogenerate", "-m", "auto")
    (script,) = project.versions.glob("*_auto.py")
    assert "schema_migrations" not in script.read_text()


def test_a_failing_up_is_placed_and_undone(project: Project) -> None:
    project.table("1_a", "a")
    project.pair("2_b", "CREATE TABLE b (id int);\nSELECT 1 / 0;\n", "DROP TABLE b;")
    said = project.alembic("upgrade", "head", code=1)
    assert "2_b.up.sql:2:1: division by zero (22012)" in said.err
    assert "The database is unchanged" in said.err
    assert "Nothing is left to roll back" in said.err
    assert "Traceback" not in said.text
    assert project.tables() == set()
    assert project.log() == [("2", "failed")]
    failed = project.status()["revisions"][1]["last_failure"]
    assert failed["direction"] == "up"
    assert "22012 division by zero" in failed["error"]


def test_several_transactions_of_a_file_are_one(project: Project) -> None:
    project.table("1_a", "a")
    several = "BEGIN;\nCREATE TABLE b (id int);\nCOMMIT;\nBEGIN;\nSELECT 1 / 0;\nCOMMIT;\n"
    up = project.pair("2_b", several, "DROP TABLE b;")
    said = project.alembic("upgrade", "head", code=1)
    assert "2_b: the transactions of 2_b.up.sql are run as one." in said.err
    assert "2_b.up.sql:5:1: division by zero (22012)" in said.err
    assert project.tables() == set()
    up.write_text(several.replace("1 / 0", "1"))
    project.alembic("upgrade", "head")
    assert project.tables() == {"a", "b"}


def test_what_was_committed_before_can_be_rolled_back(project: Project) -> None:
    project.write_env(
        ENV.format(url=project.shown_url, options="{'transaction_per_migration': True}")
    )
    project.table("1_a", "a")
    project.script("2f", "1", "op.execute('SELECT nowhere')")
    said = project.alembic("upgrade", "head", code=5)
    assert 'column "nowhere" does not exist' in said.err
    assert "`alembic rollback-db 1`" in said.err
    assert project.applied() == ["1"]


def test_what_ran_outside_a_transaction_is_recorded_though_the_next_step_fails(
    project: Project,
) -> None:
    project.table("1_a", "a")
    project.pair("2_i", "CREATE INDEX CONCURRENTLY i ON a (id);", "DROP INDEX i;")
    project.script(
        "3f",
        "2",
        "with op.get_context().autocommit_block(): op.execute('VACUUM a')",
    )
    project.pair("4_c", "-- Revises: 3f\nCREATE TABLE c (id int);\nSELECT 1 / 0;", "DROP TABLE c;")
    said = project.alembic("upgrade", "head", code=5)
    assert "1, 2, 3f applied and committed before it. 4_c itself was undone." in said.err
    assert "`alembic rollback-db 3f 2 1`" in said.err
    assert (project.applied(), project.heads()) == (["1", "2", "3f"], ["3f"])
    assert project.tables() == {"a"}


def test_a_bug_in_a_script_keeps_its_traceback(project: Project) -> None:
    project.script("1f", None, "{}['missing']")
    said = project.alembic("upgrade", "head", code=1)
    assert "KeyError: 'missing'" in said.err
    assert "The database is unchanged" in said.err
    assert project.log() == [("1f", "failed")]


def test_an_error_in_code_is_raised_unchanged(project: Project) -> None:
    project.script("1f", None, "raise LookupError('mine')")
    with pytest.raises(LookupError, match="mine"):
        command.upgrade(project.config, "head")


def test_an_enum_value_used_at_once_is_explained(project: Project) -> None:
    project.pair("1_e", "CREATE TYPE mood AS ENUM ('sad');", "DROP TYPE mood;")
    project.alembic("upgrade", "head")
    project.pair(
        "2_e", "ALTER TYPE mood ADD VALUE 'ok';\nSELECT 'ok'::mood;", "-- Irreversible: enum\n"
    )
    said = project.alembic("upgrade", "head", code=1)
    assert "(55P04)" in said.err
    assert "-- Transaction: none" in said.err


@pytest.mark.parametrize("options", ["{}", "{'transaction_per_migration': True}"])
def test_three_upgrades_at_once_apply_everything_once(project: Project, options: str) -> None:
    project.write_env(ENV.format(url=project.shown_url, options=options))
    for number in range(1, 6):
        project.pair(
            f"{number}_t",
            f"CREATE TABLE t{number} (id int);\nSELECT pg_sleep(0.1);",
            f"DROP TABLE t{number};",
        )
    runners = [project.start("upgrade", "head") for _ in range(3)]
    ends = [(runner.communicate(timeout=120), runner.returncode) for runner in runners]
    assert [code for _, code in ends] == [0, 0, 0], ends
    assert project.log() == [(str(number), "applied") for number in range(1, 6)]


def test_a_missing_down_stops_the_upgrade(project: Project) -> None:
    project.table("1_a", "a")
    project.pair("2_b", "CREATE TABLE b (id int);", None)
    said = project.alembic("upgrade", "head", code=1)
    assert "2_b has no 2_b.down.sql" in said.err
    assert "alembic generate-down 2_b.up.sql" in said.err
    assert project.tables() == set()
    project.write_ini("missing_down = warn")
    assert "has no down script" in project.alembic("upgrade", "head").err
    assert project.tables() == {"a", "b"}
    assert project.status()["revisions"][1]["problems"] == ["missing down"]


def test_out_of_order_can_be_an_error(project: Project) -> None:
    project.write_ini("out_of_order = error")
    project.table("1_a", "a")
    project.table("3_c", "c")
    project.alembic("upgrade", "head")
    project.table("2_b", "b")
    assert project.status()["revisions"][1]["problems"] == ["out of order"]
    said = project.alembic("upgrade", "head", code=3)
    assert "2_b is out of order" in said.err
    project.write_ini("out_of_order = apply")
    assert "2_b is out of order" in project.alembic("upgrade", "head").err
    assert project.applied() == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"1_a.up.sql": b"SELECT 1", "01_b.up.sql": b""}, "has the same version as"),
        ({f"{'1' * 33}_a.up.sql": b""}, "holds 32"),
        ({"1_a.down.sql": b""}, "a down without its up"),
        ({"1_a.up.sql": b"-- \xff", "1_a.down.sql": b""}, "1_a.up.sql:1:4: is not UTF-8"),
        ({"1_a.up.sql": b"SELEC 1", "1_a.down.sql": b""}, "1_a.up.sql:1:1: syntax error"),
        (
            {"1_a.up.sql": b"SELECT 1;\n\\d x", "1_a.down.sql": b""},
            "1_a.up.sql:2:1: \\d x is a comm",
        ),
        ({"1_a.up.sql": b"COPY t FROM stdin;\n1\n\\.\n", "1_a.down.sql": b""}, ":2:1: COPY"),
        ({"a.up.sql": b""}, "doesn't start with a version"),
        ({"1_a.up.sql": b"-- Revises: 9", "1_a.down.sql": b""}, "names no revision"),
    ],
)
def test_a_bad_file_is_one_line(project: Project, files: dict[str, bytes], says: str) -> None:
    for name, content in files.items():
        (project.versions / name).write_bytes(content)
    said = project.alembic("upgrade", "head", code=1)
    errors = [line for line in lines(said.err) if line.startswith("error:")]
    assert len(errors) == 1
    assert says in errors[0]
    assert "Traceback" not in said.text


def test_a_second_head_beside_a_script_is_named(project: Project) -> None:
    project.table("1_a", "a")
    project.script("f1", "1")
    project.table("2_b", "b")
    said = project.alembic("upgrade", "head", code=1)
    assert "2_b.up.sql: follows 1, and so does" in said.err
    assert "f1_script.py" in said.err
    assert "`-- Revises: f1`" in said.err


def test_an_alembic_project_without_a_ledger_is_taken_over(project: Project) -> None:
    project.script("1f", None)
    project.script("2f", "1f")
    project.execute(
        "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)",
        "INSERT INTO alembic_version VALUES ('2f')",
    )
    assert project.status()["applied"] == 2
    assert project.query("SELECT to_regclass('schema_migrations')") == [(None,)]
    project.table("20260101_001_a", "a", "-- Revises: 2f\n")
    project.alembic("upgrade", "head")
    assert project.log() == [("1f", "adopted"), ("2f", "adopted"), ("20260101_001", "applied")]


@pytest.mark.parametrize("empty_version_table", [False, True])
def test_a_hand_made_ledger_is_taken_over(project: Project, empty_version_table: bool) -> None:
    project.table("1_a", "a")
    project.table("2_b", "b")
    project.table("3_c", "c")
    project.execute(
        "CREATE TABLE schema_migrations (version varchar(50) PRIMARY KEY, name varchar(255) NOT "
        "NULL, applied_at timestamptz NOT NULL DEFAULT now(), checksum varchar(64) NOT NULL, "
        "execution_time_ms integer)",
        "INSERT INTO schema_migrations VALUES ('1', 'a', now(), 'md5'), ('2', 'b', now(), '')",
        "CREATE TABLE a (id int); CREATE TABLE b (id int)",
    )
    if empty_version_table:
        project.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
    assert project.applied() == ["1", "2"]
    project.alembic("upgrade", "head")
    assert (project.applied(), project.heads()) == (["1", "2", "3"], ["3"])
    assert project.status()["revisions"][0]["problems"] == ["modified"]
    project.alembic("rollback-db", "--all", "--yes")
    assert project.tables() == set()


def test_a_hand_made_ledger_outlives_a_first_upgrade_that_fails(project: Project) -> None:
    project.table("1_a", "a")
    project.pair("2_b", "SELECT 1 / 0;", "SELECT 1;")
    project.execute(
        "CREATE TABLE schema_migrations (version varchar(50) PRIMARY KEY, name varchar(255) NOT "
        "NULL, applied_at timestamptz NOT NULL DEFAULT now(), checksum varchar(64) NOT NULL, "
        "execution_time_ms integer)",
        "INSERT INTO schema_migrations VALUES ('1', 'a', now(), '')",
        "CREATE TABLE a (id int)",
    )
    project.alembic("upgrade", "head", code=1)
    assert project.log() == [("2", "failed")]
    assert project.applied() == ["1"]
    (project.versions / "2_b.up.sql").write_text("SELECT 1;")
    project.alembic("upgrade", "head")
    assert project.applied() == ["1", "2"]


def test_two_version_tables_have_two_ledgers(project: Project) -> None:
    project.table("1_a", "a")
    project.alembic("upgrade", "head")
    options = "{'version_table': 'other_version'}"
    project.write_env(ENV.format(url=project.shown_url, options=options))
    assert project.status()["applied"] == 0
    project.alembic("stamp", "head")
    rows = project.query("SELECT version FROM schema_migrations_other_version")
    assert rows == [("1",)]
    project.execute("DELETE FROM schema_migrations_other_version; DELETE FROM other_version")
    assert project.ledger() == ["1"]


def test_another_tools_table_is_left_alone(project: Project) -> None:
    project.execute("CREATE TABLE schema_migrations (version bigint, dirty boolean)")
    project.script("1f", None)
    assert "Running without a ledger" in project.alembic("upgrade", "head").err
    assert project.heads() == ["1f"]
    project.table("2_a", "a", "-- Revises: 1f\n")
    said = project.alembic("upgrade", "head", code=1)
    assert "ledger_table" in said.err
    assert project.tables() == set()
    project.write_ini("ledger_table = our_migrations")
    project.alembic("upgrade", "head")
    assert project.query("SELECT version FROM our_migrations ORDER BY 1") == [("1f",), ("2",)]
    assert project.query("SELECT * FROM schema_migrations") == []


def test_the_ledger_lives_in_the_version_tables_schema(project: Project) -> None:
    project.execute("CREATE SCHEMA audit")
    options = "{'version_table_schema': 'audit'}"
    project.write_env(ENV.format(url=project.shown_url, options=options))
    project.pair(
        "1_dump",
        "SELECT pg_catalog.set_config('search_path', '', false);\nCREATE TABLE public.a (id int);",
        "DROP TABLE public.a;",
    )
    project.table("2_b", "b")
    project.alembic("upgrade", "head")
    assert project.query("SELECT version FROM audit.schema_migrations ORDER BY 1") == [
        ("1",),
        ("2",),
    ]
    assert project.tables() == {"a", "b"}


def test_status_writes_nothing_in_an_empty_database(project: Project) -> None:
    project.table("1_a", "a")
    assert "⬜ 1 a (pending)" in project.alembic("migration-status").out
    project.alembic("migration-status", "--check", code=1)
    assert project.query(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    )[0] == (0,)


def test_status_marks_what_is_wrong(project: Project) -> None:
    up = project.table("1_a", "a")
    project.table("2_b", "b")
    project.alembic("upgrade", "head")
    project.alembic("migration-status", "--check")
    up.write_text(up.read_text() + "-- changed\n")
    (project.versions / "2_b.down.sql").unlink()
    said = project.alembic("migration-status", "--check", code=1).out
    assert lines(said)[0] == "✅ 1 a (applied just now) ⚠️  modified"
    assert lines(said)[1] == "✅ 2 b (applied just now) ⚠️  missing down"
    assert lines(said)[2] == "2 applied, 0 pending, 1 modified, 1 missing down"
    (project.versions / "2_b.up.sql").unlink()
    found = json.loads(project.alembic("migration-status", "--json").out)["databases"][0]
    assert found["revisions"][1] | {"applied_at": 0, "checksum": 0, "execution_time_ms": 0} == {
        "version": "2", "name": "b", "kind": "missing", "state": "applied", "applied_at": 0,
        "execution_time_ms": 0, "checksum": 0, "path": None, "problems": ["missing file"],
        "partial": None,
        "irreversible": [], "last_failure": None,
    }  # fmt: skip
    taken = project.alembic("rollback-db", "2", "--yes")
    assert "2_b: the down script is the one that was stored when it was applied." in taken.err


def test_no_database_is_one_line_without_the_password(project: Project) -> None:
    url = "postgresql+psycopg2://me:s3cret@127.0.0.1:1/none"
    project.write_env(ENV.format(url=url, options="{}"))
    said = project.alembic("migration-status", code=1)
    assert said.err.startswith("error: Cannot connect to the database: ")
    assert len(lines(said.err)) <= 2
    assert "s3cret" not in said.text
    project.write_env(ENV.format(url="nonsense:s3cret", options="{}"))
    said = project.alembic("migration-status", code=1)
    assert said.err.startswith("error: The database URL cannot be read.")
    assert "s3cret" not in said.text


def test_an_unknown_setting_is_one_line(project: Project) -> None:
    project.write_ini("missing_donw = warn")
    project.table("1_a", "a")
    for arguments in (["upgrade", "head"], ["migration-status"]):
        said = project.alembic(*arguments, code=2)
        assert "unknown setting 'missing_donw'. Did you mean missing_down?" in said.err
        assert "Traceback" not in said.text


def test_a_role_that_may_not_create_the_ledger(project: Project) -> None:
    project.script("1f", None)
    project.alembic("upgrade", "head")
    project.execute(
        "DROP TABLE schema_migrations, schema_migrations_log",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        "CREATE ROLE app_" + str(project.url.database) + " LOGIN",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON alembic_version TO app_{project.url.database}",
    )
    url = project.url.set(username=f"app_{project.url.database}")
    project.write_env(ENV.format(url=url.render_as_string(hide_password=False), options="{}"))
    try:
        assert "Running without a ledger" in project.alembic("upgrade", "head").err
        project.table("2_a", "a", "-- Revises: 1f\n")
        said = project.alembic("upgrade", "head", code=1)
        assert "cannot be created: permission denied for schema public." in said.err
        assert "Traceback" not in said.text
    finally:
        project.execute(f"DROP OWNED BY {url.username}", f"DROP ROLE {url.username}")


def test_a_pair_and_a_script_with_one_version_are_refused(project: Project) -> None:
    project.table("1_a", "a")
    project.script("1", None)
    said = project.alembic("upgrade", "head", code=1)
    assert "has the same version as" in said.err


def test_an_autocommit_engine_says_what_stays(project: Project) -> None:
    env = project.root / "migrations" / "env.py"
    env.write_text(env.read_text().replace("NullPool)", "NullPool, isolation_level='AUTOCOMMIT')"))
    project.table("1_a", "a")
    project.pair("2_b", "CREATE TABLE b (id int);\nSELECT 1 / 0;", "DROP TABLE b;")
    said = project.alembic("upgrade", "head", code=5)
    assert "1 applied and committed before it. 2_b is partial (statement 2 of 2)" in said.err
    assert project.applied() == ["1"]
    assert project.query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]
    (project.versions / "1_a.down.sql").write_text("DROP TABLE a; SELECT 1 / 0;")
    said = project.alembic("rollback-db", "1", "--yes", code=1)
    assert "containing 0 rows" in said.err
    assert "The database is unchanged" in said.err
    assert project.tables() == {"a", "b"}
