"""The prompt on a real terminal, and what happens without one."""

from __future__ import annotations

import sys

import pytest

from tests.project import Project, ended, terminal

PROMPT = """⚠️  WARNING: Rollback Migration

You are about to rollback: 20260112_001_create_purchase_orders

This will:
- DROP TABLE purchase_orders (containing 150 rows)
- DROP related indexes and policies
- Affect foreign keys in: po_items, po_attachments

Checks:
- warn backup_exists: No backup is configured: 150 rows of purchase_orders would be gone for good.
  Run it with --backup, or set backup_files or backup_command.

This action is DESTRUCTIVE and cannot be undone without backup.

Type 'ROLLBACK' to confirm: """


@pytest.fixture
def orders(project: Project) -> Project:
    """The issue's purchase orders: 150 rows, two tables pointing at them."""
    project.pair(
        "20260112_001_create_purchase_orders",
        "CREATE TABLE purchase_orders (id int PRIMARY KEY, tenant int);\n"
        "CREATE INDEX by_tenant ON purchase_orders (tenant);\n"
        "ALTER TABLE purchase_orders ENABLE ROW LEVEL SECURITY;\n"
        "CREATE POLICY tenants ON purchase_orders USING (tenant = 1);\n",
        "DROP POLICY IF EXISTS tenants ON purchase_orders;\n"
        "DROP INDEX IF EXISTS by_tenant;\n"
        "DROP TABLE IF EXISTS purchase_orders CASCADE;\n",
    )
    project.alembic("upgrade", "head")
    project.execute(
        "INSERT INTO purchase_orders SELECT n, 1 FROM generate_series(1, 150) n",
        "CREATE TABLE po_items (po int REFERENCES purchase_orders)",
        "CREATE TABLE po_attachments (po int REFERENCES purchase_orders)",
    )
    return project


def test_the_prompt_has_its_shape_and_the_word_rolls_back(orders: Project) -> None:
    child = terminal(orders, "rollback-db", "20260112_001")
    child.expect_exact("to confirm: ")
    assert (child.before + "to confirm: ").replace("\r\n", "\n") == PROMPT
    child.sendline("ROLLBACK")
    said, code = ended(child)
    assert code == 0
    assert "✅ Rolled back 20260112_001_create_purchase_orders" in said
    assert orders.tables() == {"po_items", "po_attachments"}


@pytest.mark.parametrize(
    "typed", ["rollback", "yes", "y", "", " ROLLBACK", "ROLLBACK ", "ROLLBACK!"]
)
def test_anything_but_the_word_changes_nothing(orders: Project, typed: str) -> None:
    child = terminal(orders, "rollback-db", "20260112_001")
    child.expect_exact("to confirm: ")
    child.sendline(typed)
    said, code = ended(child)
    assert (code, "Not confirmed. Nothing was changed." in said) == (4, True)
    assert "purchase_orders" in orders.tables()


@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_leaving_the_prompt_changes_nothing(orders: Project, key: str) -> None:
    child = terminal(orders, "rollback-db", "20260112_001")
    child.expect_exact("to confirm: ")
    child.send(key)
    said, code = ended(child)
    assert code == 4
    assert "Traceback" not in said
    assert "purchase_orders" in orders.tables()


def test_no_lock_is_held_while_it_asks(orders: Project) -> None:
    child = terminal(orders, "rollback-db", "20260112_001")
    child.expect_exact("to confirm: ")
    orders.execute("ALTER TABLE purchase_orders ADD COLUMN note text")
    child.sendline("no")
    assert ended(child)[1] == 4


def test_without_a_terminal_nothing_destructive_runs(orders: Project) -> None:
    said = orders.alembic("rollback-db", "20260112_001", input="ROLLBACK\n", code=4)
    assert "there is no terminal to ask on. Nothing was changed." in said.err
    assert "purchase_orders" in orders.tables()


def test_an_empty_table_is_destructive_too(orders: Project) -> None:
    orders.execute("TRUNCATE purchase_orders CASCADE")
    said = orders.alembic("rollback-db", "20260112_001", code=4)
    assert "DROP TABLE purchase_orders (containing 0 rows)" in said.err


def test_what_loses_only_definitions_is_not_asked_about(orders: Project) -> None:
    orders.pair("20260112_002_i", "CREATE INDEX i ON po_items (po);", "DROP INDEX i;")
    orders.alembic("upgrade", "head")
    said = orders.alembic("rollback-db", "20260112_002")
    assert "- DROP INDEX i" in said.err
    assert "DESTRUCTIVE" not in said.text
    assert orders.applied() == ["20260112_001"]


def test_plain_ascii_and_no_colour_where_the_terminal_cannot(orders: Project) -> None:
    child = terminal(
        orders, "migration-status", PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C"
    )
    said, _ = ended(child)
    assert "[x] 20260112_001 create_purchase_orders (applied just now)" in said
    assert said.isascii()
    assert "\x1b" not in said


def test_colour_on_a_terminal_only(orders: Project) -> None:
    (orders.versions / "20260112_001_create_purchase_orders.down.sql").unlink()
    child = terminal(orders, "migration-status", NO_COLOR="")
    assert "\x1b[33m" in ended(child)[0]
    assert "\x1b" not in orders.alembic("migration-status").out
    assert sys.stdout is not None
