"""generate-up and generate-down on the command line, and that what they write works."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path

import pytest

from tests.project import Project, lines


def statements(path: Path) -> list[str]:
    return [line for line in lines(path.read_text()) if not line.startswith("--")]


def test_generate_up_writes_both_files_and_they_apply(project: Project) -> None:
    today = f"{datetime.now():%Y%m%d}"
    first = lines(
        project.alembic("generate-up", "Create purchase orders", "--template", "table").out
    )
    up, down = Path(first[0]), Path(first[1])
    assert up.name == f"{today}_001_create_purchase_orders.up.sql"
    assert down.name == f"{today}_001_create_purchase_orders.down.sql"
    header = lines(up.read_text())[:4]
    assert header[0] == "-- Description: Create purchase orders"
    assert header[1].startswith("-- Author: ")
    assert header[2] == f"-- Created: {date.today().isoformat()}"
    assert header[3] == "-- Revises: base"
    second = lines(project.alembic("generate-up", "it's next: 100% über").out)
    assert Path(second[0]).name == f"{today}_002_it_s_next_100_über.up.sql"
    assert f"-- Revises: {today}_001" in Path(second[0]).read_text()
    project.alembic("upgrade", "head")
    assert project.tables() == {"purchase_orders"}
    project.alembic("rollback-db", "--all", "--yes")
    assert project.tables() == set()


def test_the_tables_down_is_what_generate_down_derives(project: Project) -> None:
    up, down = lines(project.alembic("generate-up", "add order", "--template", "table").out)
    derived = project.alembic("generate-down", up, "--stdout").out
    wanted = [line for line in lines(derived) if not line.startswith("--")]
    assert statements(Path(down)) == wanted
    assert 'DROP TABLE IF EXISTS "order" CASCADE;' in wanted


def test_generate_up_follows_a_script_and_asks_between_heads(project: Project) -> None:
    project.script("aa", None)
    project.script("bb", "aa")
    project.script("cc", "aa")
    said = project.alembic("generate-up", "x", code=2)
    assert "There are 2 heads: bb, cc" in said.err or "There are 2 heads: cc, bb" in said.err
    up, _ = lines(project.alembic("generate-up", "x", "--head", "cc").out)
    assert "-- Revises: cc" in Path(up).read_text()


def test_a_project_has_templates_of_its_own(project: Project) -> None:
    folder = project.root / "migrations"
    (folder / "up.sql.mako").write_text("-- Revises: ${revises or 'base'}\n-- ours: ${table}\n")
    (folder / "view.up.sql.mako").write_text("-- Revises: ${revises}\nCREATE VIEW v AS SELECT 1;\n")
    (folder / "view.down.sql.mako").write_text("DROP VIEW v;\n")
    up, _ = lines(project.alembic("generate-up", "create things").out)
    assert "-- ours: things" in Path(up).read_text()
    _, down = lines(project.alembic("generate-up", "x", "--template", "view").out)
    assert Path(down).read_text() == "DROP VIEW v;\n"
    said = project.alembic("generate-up", "y", "--template", "nope", code=2)
    assert "Known: empty, table, view" in said.err


@pytest.mark.parametrize("message", ["", "!!!"])
def test_a_message_without_a_word_is_refused(project: Project, message: str) -> None:
    assert "no word" in project.alembic("generate-up", message, code=2).err
    assert list(project.versions.iterdir()) == []


def test_generate_down_writes_beside_and_never_over(project: Project) -> None:
    up = project.pair("1_a", '-- Author: Me\nCREATE TABLE "A" (id int);\n', None)
    down = project.versions / "1_a.down.sql"
    project.alembic("generate-down", "1_a.up.sql")
    assert re.sub(r"PostgreSQL [\d.]+", "PostgreSQL 18", down.read_text()) == (
        "-- Description: Roll back: a\n-- Author: Me\n-- Generated from: 1_a.up.sql\n"
        "-- Proven: up, down, up on PostgreSQL 18\n\n"
        'BEGIN;\n\nDROP TABLE IF EXISTS "A" CASCADE;\n\nCOMMIT;\n'
    )
    down.write_text("mine")
    said = project.alembic("generate-down", str(up), code=1)
    assert "1_a.down.sql: exists already; --force overwrites it." in said.err
    assert down.read_text() == "mine"
    project.alembic("generate-down", "1", "--force")
    project.alembic("upgrade", "head")
    project.alembic("rollback-db", "1", "--yes")
    assert project.tables() == set()


def test_several_files_are_derived_before_one_is_written(project: Project) -> None:
    project.pair("1_a", "CREATE TABLE a (id int);", None)
    project.pair("2_b", "CREATE TABEL b;", None)
    said = project.alembic("generate-down", "1", "2", code=1)
    assert "2_b.up.sql:1:8: syntax error" in said.err
    assert not (project.versions / "1_a.down.sql").exists()


def test_what_cannot_be_undone_is_named_and_blocks_the_rollback(project: Project) -> None:
    project.execute("CREATE TABLE orders (id int, total int)")
    project.pair("1_a", "CREATE TABLE a (id int);\nALTER TABLE orders DROP COLUMN total;\n", None)
    said = project.alembic("generate-down", "1", code=1)
    assert "1_a.up.sql:2: ALTER TABLE orders DROP COLUMN total" in said.err
    assert "cannot be undone: the values of column orders.total: they are gone" in said.err
    down = project.versions / "1_a.down.sql"
    assert "-- Irreversible: line 2: ALTER TABLE orders DROP COLUMN total: " in down.read_text()
    assert "ALTER TABLE orders ADD COLUMN total integer;" in statements(down)
    project.alembic("upgrade", "head")
    assert "marked irreversible" in project.alembic("rollback-db", "1", "--yes", code=3).err
    text = [line for line in down.read_text().splitlines() if "Irreversible" not in line]
    down.write_text("\n".join(text))
    project.alembic("rollback-db", "1", "--yes")
    assert project.tables() == {"orders"}


def test_without_a_state_the_text_alone_is_read(project: Project) -> None:
    project.execute("CREATE TABLE orders (id int, total int)")
    project.pair("1_a", "CREATE TABLE a (id int);\nALTER TABLE orders DROP COLUMN total;\n", None)
    project.pair("2_b", "-- Author: Me\nCREATE TABLE b (id int);\n", None)
    said = project.alembic("generate-down", "1", "--state", "none", code=1)
    assert "not proven (from its text alone): --state none" in said.err
    missing = "the type, default and rows of column total"
    assert f"cannot be undone from the text alone: {missing}" in said.err
    down = project.versions / "1_a.down.sql"
    assert "-- Irreversible: line 2: ALTER TABLE orders DROP COLUMN total: " in down.read_text()
    assert statements(down) == ["BEGIN;", "DROP TABLE IF EXISTS a CASCADE;", "COMMIT;"]
    project.alembic("generate-down", "2", "--state", "none")
    assert (project.versions / "2_b.down.sql").read_text() == (
        "-- Description: Roll back: b\n-- Author: Me\n-- Generated from: 2_b.up.sql\n\n"
        "BEGIN;\n\nDROP TABLE IF EXISTS b CASCADE;\n\nCOMMIT;\n"
    )


def test_output_and_stdout(project: Project, tmp_path: Path) -> None:
    project.execute("CREATE TABLE t (a int)")
    project.pair("1_a", "CREATE INDEX CONCURRENTLY i ON t (a);", None)
    target = tmp_path / "here.sql"
    project.alembic("generate-down", "1", "-o", str(target))
    assert "-- Transaction: none" in target.read_text()
    assert project.alembic("generate-down", "1", "--stdout").out == target.read_text()
    assert (
        "-o takes one FILE"
        in project.alembic("generate-down", "1", "1", "-o", str(tmp_path / "x"), code=2).err
    )
    assert "no such file" in project.alembic("generate-down", "nope", code=2).err
