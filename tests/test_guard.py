"""One way of confirming: the plan that was looked at is the plan that runs, for downgrade, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pexpect
import pytest
from alembic import command

from alembic_rollback.errors import Blocked, NotConfirmed
from tests.project import ENV, Project

ORDERS = "CREATE TABLE orders (id int PRIMARY KEY, total int);"
ITEMS = "CREATE TABLE items (id int, order_id int REFERENCES orders);"


@pytest.fixture
def orders(project: Project) -> Project:
    project.pair("20260112_001_orders", ORDERS, "DROP TABLE orders CASCADE;")
    project.pair("20260112_002_items", ITEMS, "DROP TABLE items;")
    assert project.alembic("upgrade", "head", code=None).code == 0
    return project


def filled(project: Project) -> Project:
    project.execute("INSERT INTO orders SELECT n, n FROM generate_series(1, 150) n")
    return project


def hash_of(project: Project, *args: str) -> str:
    found = json.loads(project.alembic(*args, "--dry-run", "--json").out)
    assert len(found["hash"]) == 64
    return str(found["hash"])


# --confirm


@pytest.mark.parametrize("args", [("rollback-db", "--all"), ("downgrade", "base")])
def test_what_was_looked_at_runs_under_its_hash(orders: Project, args: tuple[str, ...]) -> None:
    agreed = hash_of(filled(orders), *args)
    assert hash_of(orders, *args) == agreed
    result = orders.alembic(*args, "--confirm", agreed, code=None)
    assert result.code == 0, result.text
    assert orders.tables() == set()


@pytest.mark.parametrize("args", [("rollback-db", "--all"), ("downgrade", "base")])
@pytest.mark.parametrize("change", ["row", "object", "file", "plan"])
def test_what_has_changed_since_is_refused(
    orders: Project, args: tuple[str, ...], change: str
) -> None:
    agreed = hash_of(filled(orders), *args)
    if change == "row":
        orders.execute("INSERT INTO orders VALUES (1000, 1)")
    elif change == "object":
        orders.execute("CREATE VIEW totals AS SELECT total FROM orders")
    elif change == "file":
        path = orders.versions / "20260112_001_orders.down.sql"
        path.write_text("DROP TABLE IF EXISTS orders CASCADE;")
    else:
        args = (*args[:-1], "--last") if args[0] == "rollback-db" else args[:-1]
        args = (*args, "1" if args[0] == "rollback-db" else "-1")
    result = orders.alembic(*args, "--confirm", agreed, code=None)
    assert result.code == 3, result.text
    assert "is not what was confirmed" in result.err
    assert orders.tables() == {"orders", "items"}


def test_an_up_that_was_edited_changes_the_hash(orders: Project) -> None:
    agreed = hash_of(orders, "rollback-db", "20260112_001")
    (orders.versions / "20260112_001_orders.up.sql").write_text(ORDERS + " SELECT 1;")
    assert hash_of(orders, "rollback-db", "20260112_001") != agreed


# alembic downgrade


def test_a_downgrade_that_loses_rows_is_not_run_without_a_terminal(orders: Project) -> None:
    result = filled(orders).alembic("downgrade", "base", code=None)
    assert result.code == 4
    assert "- DROP TABLE orders (containing 150 rows)" in result.err
    assert orders.tables() == {"orders", "items"}


def test_a_downgrade_of_empty_tables_asks_nothing(orders: Project) -> None:
    result = orders.alembic("downgrade", "base", code=None)
    assert result.code == 0
    assert "WARNING" not in result.text
    assert orders.tables() == set()


def test_a_downgrade_runs_with_yes(orders: Project) -> None:
    assert filled(orders).alembic("downgrade", "-1", "--yes", code=None).code == 0
    assert orders.alembic("downgrade", "base", "--yes", code=None).code == 0
    assert orders.tables() == set()


def test_a_downgrade_runs_as_ever_where_the_guard_is_off(orders: Project) -> None:
    filled(orders).write_ini("downgrade_guard = off")
    assert orders.alembic("downgrade", "base", code=None).code == 0
    assert orders.tables() == set()


def test_the_word_is_asked_for_on_a_terminal(orders: Project) -> None:
    program, *rest = filled(orders).command("downgrade", "base")
    child: Any = pexpect.spawn(
        program,
        rest,
        cwd=str(orders.root),
        env={**orders.env(), "TERM": "xterm"},  # type: ignore[arg-type]
        encoding="utf-8",
        timeout=60,
        dimensions=(50, 200),
    )
    child.expect_exact("WARNING: Downgrade")
    child.expect_exact("Type 'ROLLBACK' to confirm: ")
    child.sendline("ROLLBACK")
    child.expect(pexpect.EOF)
    child.close()
    assert (child.exitstatus, orders.tables()) == (0, set())


def test_a_python_downgrade_is_rendered_and_weighed(orders: Project) -> None:
    orders.script(
        "aaaa",
        "20260112_002",
        up="op.execute('CREATE TABLE late (id int)')",
        down_body="op.drop_table('late')",
    )
    assert orders.alembic("upgrade", "head", code=None).code == 0
    orders.execute("INSERT INTO late VALUES (1), (2)")
    result = orders.alembic("downgrade", "-1", code=None)
    assert result.code == 4
    assert "- DROP TABLE late (containing 2 rows)" in result.err


def test_a_python_downgrade_that_reads_is_unknown_and_asked_about(orders: Project) -> None:
    orders.script(
        "aaaa",
        "20260112_002",
        up="pass",
        down_body="op.get_bind().execute(sa.text('SELECT 1')).scalar()",
    )
    assert orders.alembic("upgrade", "head", code=None).code == 0
    result = orders.alembic("downgrade", "-1", code=None)
    assert result.code == 4
    assert "reads the database" in result.err


@pytest.mark.parametrize("mode", ["AUTOCOMMIT", "SERIALIZABLE", "per migration"])
def test_a_downgrade_is_guarded_whatever_transactions_env_py_has(
    orders: Project, mode: str
) -> None:
    options = "{'transaction_per_migration': True}" if mode == "per migration" else "{}"
    env = ENV.format(url=filled(orders).shown_url, options=options)
    if mode != "per migration":
        level = f"poolclass=NullPool, isolation_level={mode!r}"
        env = env.replace("poolclass=NullPool", level)
    orders.write_env(env)
    assert orders.alembic("downgrade", "base", code=None).code == 4
    agreed = hash_of(orders, "downgrade", "base")
    result = orders.alembic("downgrade", "base", "--confirm", agreed, code=None)
    assert result.code == 0, result.text
    assert orders.tables() == set()


def test_downgrade_in_code_is_never_asked(orders: Project) -> None:
    command.downgrade(filled(orders).config, "base")
    assert orders.tables() == set()


def test_downgrade_in_code_is_refused_where_settings_say_always(orders: Project) -> None:
    filled(orders).write_ini("downgrade_guard = always")
    config = orders.config
    with pytest.raises(NotConfirmed, match="150 rows"):
        command.downgrade(config, "base")
    assert orders.tables() == {"orders", "items"}
    config.attributes["alembic_rollback_confirmed"] = True
    command.downgrade(config, "base")
    assert orders.tables() == set()


def test_offline_downgrade_is_left_alone(orders: Project) -> None:
    result = filled(orders).alembic("downgrade", "20260112_002:20260112_001", "--sql", code=None)
    assert result.code == 0
    assert "DROP TABLE items" in result.out


# Checks


def test_a_blocking_check_refuses_also_with_yes(orders: Project) -> None:
    filled(orders).write_ini("data_loss = block")
    for args in (("rollback-db", "--all", "--yes"), ("downgrade", "base", "--yes")):
        result = orders.alembic(*args, code=None)
        assert result.code == 3, result.text
        assert "Table orders has 150 rows. This is DESTRUCTIVE." in result.err
    assert orders.alembic("rollback-db", "--all", "--dry-run", code=None).code == 3
    assert orders.tables() == {"orders", "items"}


def test_rows_that_come_before_the_lock_are_blocked_all_the_same(orders: Project) -> None:
    from alembic_rollback.commands import rollback
    from alembic_rollback.planning import Request

    orders.write_ini("data_loss = block")

    def rows_arrive(shown: object) -> bool:
        orders.execute("INSERT INTO orders VALUES (1, 1)")
        return False

    with pytest.raises(Blocked, match="has 1 row"):
        rollback(orders.config, Request(everything=True), confirm=rows_arrive)
    assert orders.tables() == {"orders", "items"}


def installed(tmp_path: Path, project: Project, body: str) -> None:
    """A package with a check of its own."""
    (tmp_path / "their_checks.py").write_text(body)
    info = tmp_path / "their_checks-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-checks\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[alembic_rollback.checks]\ntheir_check = their_checks:check\n"
    )
    project.environment["PYTHONPATH"] = str(tmp_path)


def test_another_packages_check_is_asked(orders: Project, tmp_path: Path) -> None:
    body = (
        "from alembic_rollback.checks.subject import Said\n"
        "def check(subject):\n"
        "    yield Said(f'{len(subject.plan.steps)} steps on a Friday.', 'Wait.')\n"
        "check.level = 'block'\n"
    )
    installed(tmp_path, orders, body)
    result = orders.alembic("rollback-db", "--all", "--yes", code=None)
    assert (result.code, "2 steps on a Friday." in result.err) == (3, True)
    orders.write_ini("their_check = warn")
    result = orders.alembic("rollback-db", "--all", "--yes", code=None)
    assert (result.code, "warn their_check: 2 steps" in result.err) == (0, True)


def test_a_check_that_crashes_blocks_by_its_name(orders: Project, tmp_path: Path) -> None:
    installed(
        tmp_path, orders, "def check(subject):\n    subject.connection.exec_driver_sql('x')\n"
    )
    result = orders.alembic("rollback-db", "--all", "--yes", code=None)
    assert result.code == 3
    assert "The check their_check failed itself: ProgrammingError" in result.err
    assert "Traceback" not in result.text


# What stays


def test_with_dependants_takes_what_uses_what_goes(orders: Project) -> None:
    orders.pair("20260112_003_other", "CREATE TABLE other (id int);", "DROP TABLE other;")
    assert orders.alembic("upgrade", "head", code=None).code == 0
    result = orders.alembic("rollback-db", "20260112_001", "--dry-run", code=None)
    assert "20260112_002_items stays applied and uses orders" in result.out
    args = ("rollback-db", "20260112_001", "--with-dependants", "--yes")
    assert orders.alembic(*args, code=None).code == 0
    assert orders.tables() == {"other"}


def test_a_backup_is_taken_and_can_be_restored(orders: Project) -> None:
    result = filled(orders).alembic("rollback-db", "--all", "--yes", "--backup", code=None)
    assert result.code == 0, result.text
    (archive,) = (orders.root / "backups").iterdir()
    assert archive.stat().st_mode & 0o777 == 0o600
    assert archive.name in result.out


def test_the_looks_before_take_no_lock_that_anybody_waits_for(orders: Project) -> None:
    """ACCESS SHARE is all that a reader takes; the transaction is READ ONLY."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    from alembic_rollback.commands import rollback
    from alembic_rollback.planning import Request

    filled(orders).execute("CREATE VIEW totals AS SELECT total FROM orders")
    seen: set[str] = set()
    read_only: set[str] = set()

    def look(connection: Any, cursor: Any, *_: Any) -> None:
        raw = cursor.connection.cursor()
        raw.execute(
            "SELECT mode, current_setting('transaction_read_only') FROM pg_locks l "
            "JOIN pg_class c ON c.oid = relation WHERE pid = pg_backend_pid() AND c.oid >= 16384"
        )
        for mode, only in raw.fetchall():
            seen.add(mode)
            read_only.add(only)

    event.listen(Engine, "after_cursor_execute", look)
    try:
        rollback(orders.config, Request(everything=True), dry_run=True)
    finally:
        event.remove(Engine, "after_cursor_execute", look)
    assert seen == {"AccessShareLock"}
    assert "on" in read_only


def test_what_the_revision_made_itself_is_no_change_in_the_second_look(project: Project) -> None:
    project.pair(
        "1_t",
        "CREATE TABLE t (id int);\nCREATE VIEW v AS SELECT * FROM t;\n",
        "DROP TABLE t CASCADE;\n",
    )
    project.alembic("upgrade", "head")
    assert "changed while this ran" not in project.alembic("rollback-db", "1", "--yes").out
