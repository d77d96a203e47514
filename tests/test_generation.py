"""generate-down with the state before the up: by real `alembic` processes on real servers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from alembic_rollback.catalog.facts.comparison import compare
from alembic_rollback.catalog.facts.model import Snapshot
from alembic_rollback.catalog.facts.reading import read
from alembic_rollback.scratch.leftovers import PREFIX
from tests.project import Project, Result, lines

LIVE = "from the connected database's schema"
REPLAY = "from the revisions below it, replayed"
GIVEN = "from the database of --before-url"
TEXT = "from its text alone"


def shown(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def sql(path: Path) -> list[str]:
    """The statements of a file, one line each; BEGIN and COMMIT left out."""
    found = [line for line in lines(path.read_text()) if not line.startswith("--")]
    return [line for line in found if line not in ("BEGIN;", "COMMIT;")]


def header(path: Path) -> list[str]:
    text = re.sub(r"PostgreSQL \d+\.\d+", "PostgreSQL 18", path.read_text())
    return [line for line in lines(text) if line.startswith("--")]


def catalog(url: URL) -> Snapshot:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return read(connection, edges=False)


def down(project: Project, title: str) -> Path:
    return project.versions / f"{title}.down.sql"


@pytest.fixture
def shared(project: Project, server_url: URL) -> Iterator[Project]:
    """A project with a server for scratch databases, none of which is left in the end."""
    project.write_ini(f"scratch_url = {shown(server_url).replace('%', '%%')}")
    yield project
    left = project.query(f"SELECT datname FROM pg_database WHERE starts_with(datname, '{PREFIX}')")
    assert left == []


@pytest.fixture
def folder(project: Project, tmp_path: Path) -> Project:
    """A folder without a project, in which `alembic` can be run."""
    place = tmp_path / "plain"
    place.mkdir()
    return Project(place, project.url, project.environment)


def generate(project: Project, *args: str, code: int = 0) -> Result:
    return project.alembic("generate-down", *args, code=code)


# --- the connected database -------------------------------------------------------------------


def test_live_takes_tables_that_no_migration_made_and_changes_nothing(shared: Project) -> None:
    shared.table("1_a", "a")
    shared.alembic("upgrade", "head")
    shared.execute(
        "CREATE TABLE by_hand (id serial PRIMARY KEY, note text DEFAULT 'x', at timestamptz)",
        "CREATE INDEX by_note ON by_hand (note)",
        "INSERT INTO by_hand (note) VALUES ('kept')",
    )
    shared.pair("2_b", "ALTER TABLE by_hand ALTER COLUMN note SET DEFAULT 'y';\n", None)
    before, databases = catalog(shared.url), shared.query("SELECT count(*) FROM pg_database")
    said = generate(shared, "2")
    assert LIVE in said.err
    assert "proven on PostgreSQL" in said.err
    assert sql(down(shared, "2_b")) == [
        "ALTER TABLE by_hand ALTER COLUMN note SET DEFAULT 'x'::text;"
    ]
    assert compare(before, catalog(shared.url)) == ()
    assert shared.query("SELECT * FROM by_hand") == [(1, "kept", None)]
    assert shared.query("SELECT count(*) FROM pg_database") == databases
    assert shared.heads() == ["1"]
    shared.alembic("upgrade", "head")
    shared.alembic("rollback-db", "2", "--yes")
    assert compare(before, catalog(shared.url)) == ()


def test_live_where_the_revision_is_applied_gives_way_to_replay(shared: Project) -> None:
    shared.table("1_a", "a")
    shared.pair("2_b", "ALTER TABLE a ADD COLUMN n int;\n", "SELECT 1;\n")
    shared.pair("3_c", "ALTER TABLE a DROP COLUMN n;\n", None)
    shared.alembic("upgrade", "2")
    said = generate(shared, "2", "3", "--schema-only", "--force").err
    assert f"{REPLAY}" in said.splitlines()[1]
    assert LIVE in said
    assert sql(down(shared, "2_b")) == ["ALTER TABLE a DROP COLUMN n;"]
    assert sql(down(shared, "3_c")) == ["ALTER TABLE a ADD COLUMN n integer;"]
    said = generate(shared, "2", "--state", "live", "--force", code=1).err
    assert TEXT in said
    assert "no live state: the database does not stand right before it" in said


def test_live_cannot_stand_before_what_is_not_applied_yet(shared: Project) -> None:
    shared.table("1_a", "a")
    shared.pair("2_b", "ALTER TABLE a ALTER id SET DEFAULT 5;\n", None)
    assert REPLAY in generate(shared, "2").err
    assert sql(down(shared, "2_b")) == ["ALTER TABLE a ALTER COLUMN id DROP DEFAULT;"]


def test_a_database_that_cannot_be_reached_gives_way_to_replay(shared: Project) -> None:
    text = (shared.root / "migrations" / "env.py").read_text()
    shared.write_env(re.sub(r"URL = .*", "URL = 'postgresql://me:sesame@127.0.0.1:1/x'", text))
    shared.table("1_a", "a")
    shared.pair("2_b", "DROP TABLE a;\n", None)
    said = generate(shared, "2", "--schema-only")
    assert REPLAY in said.err
    assert "no live state: " in said.err
    assert "sesame" not in said.text + down(shared, "2_b").read_text()
    failed = shared.alembic("generate-down", "2", "--state", "live", "--force", code=None)
    assert failed.code != 0
    assert "sesame" not in failed.text


# --- the history ------------------------------------------------------------------------------


def test_replay_runs_pairs_and_scripts_without_env_py(
    shared: Project, tmp_path: Path, server_url: URL
) -> None:
    marker = tmp_path / "env_was_run"
    text = (shared.root / "migrations" / "env.py").read_text()
    shared.write_env(f"open({str(marker)!r}, 'w').close()\n{text}")
    shared.table("1_a", "a")
    shared.script("s1", "1", "op.add_column('a', sa.Column('n', sa.Integer, server_default='4'))")
    shared.pair("2_b", "-- Revises: s1\nALTER TABLE a ALTER n TYPE bigint;\n", None)
    before = catalog(shared.url)
    said = generate(shared, "2", "--state", "replay")
    assert REPLAY in said.err
    assert not marker.exists()
    assert compare(before, catalog(shared.url)) == ()
    assert sql(down(shared, "2_b"))[-1] == "ALTER TABLE a ALTER COLUMN n SET DEFAULT 4;"
    assert header(down(shared, "2_b"))[-1] == "-- Proven: up, down, up on PostgreSQL 18"


def test_several_files_in_one_pass_each_on_its_own_state(shared: Project) -> None:
    shared.pair("1_a", "CREATE TABLE t (v varchar(10) DEFAULT 'a');\n", None)
    shared.pair("2_b", "ALTER TABLE t ALTER v TYPE varchar(20);\n", None)
    shared.pair("3_c", "ALTER TABLE t ALTER v TYPE text;\nDROP TABLE IF EXISTS u;\n", None)
    said = generate(shared, "3", "1", "2", "--state", "replay")
    names = [Path(line.split()[-1]).name for line in said.err.splitlines() if "down.sql" in line]
    assert names == ["3_c.down.sql", "1_a.down.sql", "2_b.down.sql"]
    assert sql(down(shared, "1_a")) == ["DROP TABLE IF EXISTS t CASCADE;"]
    for title, size in (("2_b", 10), ("3_c", 20)):
        wanted = f"ALTER TABLE t ALTER COLUMN v TYPE character varying({size});"
        assert wanted in sql(down(shared, title))
    shared.alembic("upgrade", "head")
    shared.alembic("rollback-db", "--all", "--yes")
    assert shared.tables() == set()


def test_where_the_history_cannot_be_replayed_the_text_is_read(shared: Project) -> None:
    shared.table("1_a", "a")
    shared.script("s1", "1", "1 / 0")
    shared.pair("2_b", "-- Revises: s1\nCREATE TABLE b (id int);\n", None)
    said = generate(shared, "2", code=1).err
    assert TEXT in said
    assert "no replay: " in said
    assert "division by zero" in said
    assert sql(down(shared, "2_b")) == ["DROP TABLE IF EXISTS b CASCADE;"]


def test_an_up_that_fails_on_the_state_says_where(shared: Project) -> None:
    shared.table("1_a", "a")
    shared.pair("2_b", "CREATE TABLE b (id int);\nALTER TABLE nowhere ADD c int;\n", None)
    said = generate(shared, "2", code=1).err
    assert "2_b.up.sql:2:" in said
    assert 'relation "nowhere" does not exist' in said
    assert "not proven" in said
    assert sql(down(shared, "2_b")) == [
        "ALTER TABLE nowhere DROP COLUMN c;",
        "DROP TABLE IF EXISTS b CASCADE;",
    ]


def test_enum_values_and_concurrent_indexes_are_tried_in_copies(shared: Project) -> None:
    shared.pair(
        "1_a", "CREATE TYPE k AS ENUM ('x');\nCREATE TABLE t (k k, a int);\n", "DROP TABLE t;\n"
    )
    up = "ALTER TYPE k ADD VALUE 'y';\nALTER TABLE t ALTER k SET DEFAULT 'y';\n"
    shared.pair("2_b", up, None)
    shared.pair("3_c", "CREATE INDEX CONCURRENTLY i ON t (a);\n", None)
    said = generate(shared, "2", "3")
    assert said.err.count("proven on PostgreSQL") == 2
    assert "CREATE TYPE k AS ENUM ('x');" in sql(down(shared, "2_b"))
    assert sql(down(shared, "3_c")) == ["DROP INDEX CONCURRENTLY IF EXISTS i;"]
    assert "-- Transaction: none" in header(down(shared, "3_c"))


# --- a database that is given -----------------------------------------------------------------


def test_a_given_database_is_tried_on_and_left_as_it_was(folder: Project) -> None:
    folder.execute("CREATE TABLE t (a int DEFAULT 1, b int)", "CREATE INDEX i ON t (b)")
    up = folder.root / "7_x.up.sql"
    up.write_text("DROP INDEX i;\nALTER TABLE t ALTER a SET DEFAULT 2;\n")
    before = catalog(folder.url)
    said = generate(folder, "7_x.up.sql", "--before-url", shown(folder.url), "-o", "out.sql")
    assert GIVEN in said.err
    assert sql(folder.root / "out.sql") == [
        "ALTER TABLE t ALTER COLUMN a SET DEFAULT 1;",
        "CREATE INDEX i ON t (b);",
    ]
    assert compare(before, catalog(folder.url)) == ()
    up.write_text("CREATE INDEX CONCURRENTLY j ON t (a);\n")
    generate(folder, "7_x.up.sql", "--before-url", shown(folder.url))
    assert compare(before, catalog(folder.url)) == ()
    url = "postgresql://me:sesame@127.0.0.1:1/x"
    said = generate(folder, "7_x.up.sql", "--before-url", url, "--stdout", code=1)
    assert "sesame" not in said.text
    assert "Cannot connect" in said.err
    both = generate(folder, "7_x.up.sql", "7_x.up.sql", "--before-url", url, code=2)
    assert "--before-url takes one FILE" in both.err


def test_files_of_a_plain_folder_stand_on_those_before_them(folder: Project) -> None:
    for title, text in {
        "1_a": "CREATE TABLE t (a int NOT NULL);",
        "2_b": "ALTER TABLE t ALTER a DROP NOT NULL;",
        "10_c": "ALTER TABLE t RENAME a TO b;",
        "11_d": "ALTER TABLE t DROP COLUMN b;",
    }.items():
        (folder.root / f"{title}.up.sql").write_text(text + "\n")
    said = generate(folder, "11_d.up.sql", "2_b.up.sql", "--schema-only")
    assert said.err.count(REPLAY) == 2
    assert sql(folder.root / "2_b.down.sql") == ["ALTER TABLE t ALTER COLUMN a SET NOT NULL;"]
    assert sql(folder.root / "11_d.down.sql") == ["ALTER TABLE t ADD COLUMN b integer;"]
    assert "no such file" in generate(folder, "12", code=2).err


# --- no state, no proof -----------------------------------------------------------------------


def test_without_a_server_the_text_is_read_and_that_is_said(
    project: Project, tmp_path: Path
) -> None:
    project.pair("1_a", "CREATE TABLE a (id int);\n", None)
    env = {"ALEMBIC_ROLLBACK_PG_BIN": str(tmp_path)}
    said = project.alembic("generate-down", "1", env=env, code=1).err
    assert TEXT in said
    assert "doesn't hold initdb" in said
    assert sql(down(project, "1_a")) == ["DROP TABLE IF EXISTS a CASCADE;"]
    project.alembic("generate-down", "1", "--state", "none", "--force", env=env)
    refused = project.alembic("generate-down", "1", "--strict", "--force", env=env, code=1)
    assert "not proven" in refused.err


def test_no_prove_keeps_the_state_and_skips_the_rest(shared: Project) -> None:
    shared.table("1_a", "a")
    shared.pair("2_b", "ALTER TABLE a ALTER id SET DEFAULT 5;\n", None)
    said = generate(shared, "2", "--no-prove")
    assert f"not proven ({REPLAY}): --no-prove" in said.err
    assert "-- Not proven: --no-prove" in header(down(shared, "2_b"))
    assert sql(down(shared, "2_b")) == ["ALTER TABLE a ALTER COLUMN id DROP DEFAULT;"]


def test_strict_writes_only_what_is_complete_and_proven(shared: Project) -> None:
    shared.table("1_a", "a")
    shared.pair("2_b", "CREATE TABLE b (id int);\n", None)
    shared.pair("3_c", "DROP TABLE b;\n", None)
    said = generate(shared, "2", "3", "--strict", code=1)
    assert "cannot be undone: the rows of table b" in said.err
    assert down(shared, "2_b").exists()
    assert not down(shared, "3_c").exists()
    assert "rollback-db refuses" not in said.err
    generate(shared, "3", "--strict", "--schema-only")
    assert sql(down(shared, "3_c"))[0] == "CREATE TABLE b ("


def test_schema_only_names_rows_without_counting_them(shared: Project) -> None:
    shared.pair("1_a", "CREATE TABLE a (id int, n int);\n", None)
    shared.pair("2_b", "UPDATE a SET n = 1;\nALTER TABLE a ADD m int;\n", None)
    counted = generate(shared, "2", code=1)
    assert "cannot be undone: what n of a held before" in counted.err
    assert any(line.startswith("-- Irreversible: line 1") for line in header(down(shared, "2_b")))
    said = generate(shared, "2", "--schema-only", "--force")
    assert "what n of a held before" in said.err
    told = [line for line in header(down(shared, "2_b")) if "line 1" in line]
    assert told[0].startswith("-- Not restored: line 1: UPDATE a SET n = 1: ")


def test_check_compares_what_the_downs_do(shared: Project) -> None:
    shared.pair("1_a", "CREATE TABLE a (id int);\nCREATE INDEX i ON a (id);\n", None)
    path = down(shared, "1_a")
    assert "is not what generate-down would write" in generate(shared, "1", "--check", code=1).err
    assert not path.exists()
    path.write_text("/* by hand */ drop table public.a;\n")
    said = generate(shared, "1", "--check")
    assert "is not what" not in said.err
    assert path.read_text() == "/* by hand */ drop table public.a;\n"
    path.write_text("DROP INDEX i;\n")
    generate(shared, "1", "--check", code=1)
    path.write_text("DROP TABLE nowhere;\n")
    generate(shared, "1", "--check", code=1)
    generate(shared, "1", "--check", "--state", "none", code=1)
    path.write_text("-- Mine\nDROP INDEX IF EXISTS i;\nDROP TABLE IF EXISTS a CASCADE;\n")
    generate(shared, "1", "--check", "--state", "none")
    generate(shared, "1", "--check")


# --- what cannot be had -----------------------------------------------------------------------


def test_a_missing_extension_is_named(shared: Project) -> None:
    shared.table("1_a", "a")
    shared.pair("2_b", 'CREATE EXTENSION "no such thing";\nCREATE TABLE b (id int);\n', None)
    shared.pair("3_c", "CREATE TABLE c (id int);\n", None)
    said = generate(shared, "2", "3", "--stdout", code=1)
    assert "2_b.up.sql:1" in said.err
    assert "the scratch server has no extension no such thing" in said.err
    assert "DROP TABLE IF EXISTS b CASCADE;" in said.out
    assert "the scratch server has no extension no such thing" in said.err


def test_what_all_databases_share_is_refused_there_and_tried_on_an_own_server(
    shared: Project,
) -> None:
    shared.pair("1_a", "CREATE ROLE gd_somebody;\nCREATE TABLE a (id int);\n", None)
    said = generate(shared, "1", "--stdout", code=1)
    assert "not proven" in said.err
    assert shared.query("SELECT FROM pg_roles WHERE rolname = 'gd_somebody'") == []
    shared.write_ini()
    said = generate(shared, "1", "--stdout", code=0)
    assert "proven on PostgreSQL" in said.err
    assert "DROP ROLE IF EXISTS gd_somebody;" in said.out


def test_what_differs_is_shown_object_by_object(shared: Project) -> None:
    shared.pair("1_a", "CREATE TABLE p (id int);\nCREATE TABLE c () INHERITS (p);\n", None)
    # Its column was an inherited one only, which no command brings back.
    shared.pair("2_b", "ALTER TABLE c NO INHERIT p;\n", None)
    said = generate(shared, "2", code=1)
    assert "not proven" in said.err
    assert "  changed column public.c.id" in said.err.splitlines()
    assert header(down(shared, "2_b"))[-1] == "-- Not proven: the catalog is not what it was"
    assert sql(down(shared, "2_b")) == ["ALTER TABLE c INHERIT p;"]


def test_columns_in_another_order_are_said_to_be_that(shared: Project) -> None:
    shared.pair("1_a", "CREATE TABLE t (a int, b int);\n", None)
    shared.pair("2_b", "ALTER TABLE t DROP COLUMN a;\n", None)
    said = generate(shared, "2", "--schema-only")
    assert "up, down, up, but for the order of columns: t" in said.err
    last = [line for line in header(down(shared, "2_b")) if line.startswith("-- Proven")]
    assert last == ["-- Proven: up, down, up on PostgreSQL 18; columns in another order: t"]


def test_the_header_tells_what_is_known(shared: Project) -> None:
    up = "-- Description: Notes of patients\n-- Author: A. Clerk\n-- Created: 2026-01-12\n"
    shared.pair("1_a", f"{up}CREATE TABLE note (id int);\n", None)
    generate(shared, "1")
    assert header(down(shared, "1_a")) == [
        "-- Description: Roll back: Notes of patients",
        "-- Author: A. Clerk",
        "-- Created: 2026-01-12",
        "-- Generated from: 1_a.up.sql",
        "-- Proven: up, down, up on PostgreSQL 18",
    ]


def test_inserted_rows_go_by_their_key(shared: Project) -> None:
    shared.pair("1_a", "CREATE TABLE r (id int PRIMARY KEY, n text);\n", "DROP TABLE r;\n")
    shared.pair("2_b", "INSERT INTO r VALUES (1, 'a'), (2, 'b');\n", None)
    generate(shared, "2")
    assert sql(down(shared, "2_b")) == ["DELETE FROM r WHERE id IN (1, 2);"]
    shared.alembic("upgrade", "head")
    shared.execute("INSERT INTO r VALUES (3, 'c')", "UPDATE r SET n = 'changed' WHERE id = 1")
    shared.alembic("rollback-db", "2", "--yes")
    assert shared.query("SELECT id FROM r") == [(3,)]
