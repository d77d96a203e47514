"""What CASCADE takes from revisions that stay applied: kept, shown, brought back, or said."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from alembic import command
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from alembic_rollback.embedded.binaries import environment, find_binaries
from alembic_rollback.ledger import Ledger, Run
from alembic_rollback.model import Collateral, LogEntry
from tests.project import ENV, Project

ORDERS, ITEMS, ATTACHMENTS = "20260112_001", "20260112_002", "20260112_003"
TAKEN = f"damaged by rollback of {ORDERS}"
PER_MIGRATION = '{"transaction_per_migration": True}'


def write(project: Project, more: str = "") -> Project:
    """Three revisions of a purchase order; what CASCADE takes belongs to the later ones."""
    project.pair(
        f"{ORDERS}_create_purchase_orders",
        "CREATE TABLE purchase_orders (id int PRIMARY KEY, supplier text);\n" + more,
        "DROP TABLE IF EXISTS purchase_orders CASCADE;\n",
    )
    project.pair(
        f"{ITEMS}_create_po_items",
        "CREATE TABLE po_items (id int PRIMARY KEY, po int NOT NULL "
        "CONSTRAINT items_of_order REFERENCES purchase_orders ON DELETE CASCADE, price int);\n"
        "COMMENT ON CONSTRAINT items_of_order ON po_items IS 'whose item: 100%';\n",
        "DROP TABLE IF EXISTS po_items CASCADE;\n",
    )
    project.pair(
        f"{ATTACHMENTS}_create_po_attachments",
        "CREATE TABLE po_attachments (id int PRIMARY KEY, po int NOT NULL);\n"
        "ALTER TABLE po_attachments ADD CONSTRAINT of_order "
        "FOREIGN KEY (po) REFERENCES purchase_orders;\n",
        "DROP TABLE IF EXISTS po_attachments CASCADE;\n",
    )
    return project


@pytest.fixture
def orders(project: Project) -> Project:
    """The three, applied."""
    command.upgrade(write(project).config, "head")
    return project


def dump(project: Project) -> list[str]:
    """pg_dump's schema, entry for entry, in an order that doesn't depend on age."""
    url = project.url
    host, port = url.query.get("host", url.host), url.query.get("port", url.port)
    variables = {"PGHOST": host, "PGPORT": port, "PGUSER": url.username, "PGPASSWORD": url.password}
    given = {name: str(value) for name, value in variables.items() if value}
    command = [str(find_binaries() / "pg_dump"), "--no-sync", "--schema-only", str(url.database)]
    answer = subprocess.run(
        command, env={**environment(), **given}, capture_output=True, text=True, check=True
    )
    lines = [line for line in answer.stdout.splitlines() if "restrict " not in line]
    return sorted("\n".join(lines).split("\n\n"))


def foreign_keys(project: Project) -> list[Any]:
    return project.query(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' "
        "ORDER BY conname"
    )


def problems(project: Project) -> dict[str, list[str]]:
    """By version, where there are any."""
    revisions = project.status()["revisions"]
    return {r["version"]: r["problems"] for r in revisions if r["problems"]}


def damaged(project: Project) -> dict[str, list[str]]:
    """By version: whose rollbacks have damaged it."""
    found = {v: [p for p in listed if "damaged" in p] for v, listed in problems(project).items()}
    return {version: listed for version, listed in found.items() if listed}


def outcomes(project: Project) -> list[str]:
    """Those of objects, in order."""
    return [outcome for _, outcome in project.log() if outcome in ("collateral", "repaired")]


def verbatim(project: Project, *statements: str) -> None:
    """Run what was printed: a percent sign is one."""
    engine = create_engine(project.url, poolclass=NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def roll_back(project: Project, *versions: str, **how: Any) -> Any:
    return project.alembic("rollback-db", *(versions or (ORDERS,)), "--yes", **how)


def test_foreign_keys_are_shown_as_damage_and_come_back(orders: Project) -> None:
    before, keys = dump(orders), foreign_keys(orders)
    assert len(keys) == 2
    roll_back(orders)
    assert foreign_keys(orders) == []
    found = problems(orders)
    assert TAKEN in found[ITEMS]
    assert TAKEN in found[ATTACHMENTS]
    assert TAKEN in orders.alembic("migration-status").out
    assert not orders.status()["clean"]
    said = orders.alembic("upgrade", "head").err
    title = "table constraint items_of_order on public.po_items"
    assert f"Restored {title}, which the rollback of {ORDERS} had taken." in said
    assert "WARNING [alembic.rollback] table" not in said
    assert foreign_keys(orders) == keys
    assert dump(orders) == before
    assert (problems(orders), orders.status()["clean"]) == ({}, True)
    assert outcomes(orders) == ["collateral"] * 2 + ["repaired"] * 2


def test_a_second_time_nothing_is_brought_back_twice(orders: Project) -> None:
    before = dump(orders)
    for _ in range(2):
        roll_back(orders)
        orders.alembic("upgrade", "head")
        assert dump(orders) == before
    assert outcomes(orders) == (["collateral"] * 2 + ["repaired"] * 2) * 2


@pytest.mark.parametrize("options", ["{}", PER_MIGRATION])
@pytest.mark.parametrize("each", [False, True])
def test_in_every_kind_of_transaction(project: Project, options: str, *, each: bool) -> None:
    header = "-- Transaction: none\n"
    write(project)
    up = project.versions / f"{ORDERS}_create_purchase_orders.up.sql"
    up.write_text(header + up.read_text())
    project.write_env(ENV.format(url=project.shown_url, options=options))
    project.alembic("upgrade", "head")
    before = dump(project)
    roll_back(project, *(["--transaction", "each", ORDERS] if each else []))
    assert outcomes(project) == ["collateral"] * 2
    project.alembic("upgrade", "head")
    assert dump(project) == before
    assert problems(project) == {}


def test_an_engine_without_transactions(orders: Project) -> None:
    before = dump(orders)
    roll_back(orders)
    env = ENV.format(url=orders.shown_url, options="{}")
    orders.write_env(env.replace("NullPool)", 'NullPool, isolation_level="AUTOCOMMIT")'))
    orders.execute("INSERT INTO po_attachments VALUES (1, 7)")
    said = orders.alembic("upgrade", "head").err
    assert "of_order on public.po_attachments" in said
    assert [key[0] for key in foreign_keys(orders)] == ["items_of_order"]
    assert problems(orders) == {ATTACHMENTS: [TAKEN]}
    orders.execute(
        "DELETE FROM po_attachments",
        "ALTER TABLE po_attachments ADD CONSTRAINT of_order "
        "FOREIGN KEY (po) REFERENCES purchase_orders",
    )
    assert dump(orders) == before
    assert problems(orders) == {}


VIEW = "CREATE VIEW totals AS SELECT o.id, sum(price) FROM purchase_orders o JOIN po_items i ON "
VIEW += "i.po = o.id GROUP BY o.id;\nCREATE VIEW above AS SELECT count(*) FROM totals;\n"


@pytest.mark.parametrize("together", [True, False])
def test_a_view_over_two_tables_waits_for_both(orders: Project, *, together: bool) -> None:
    orders.pair("20260112_004_views", VIEW, "DROP VIEW above; DROP VIEW totals;\n")
    orders.alembic("upgrade", "head")
    before = dump(orders)
    if together:
        roll_back(orders, ORDERS, ITEMS)
    else:
        roll_back(orders, ORDERS)
        roll_back(orders, ITEMS)
    first = ITEMS if together else ORDERS  # the later revision goes first
    assert damaged(orders)["20260112_004"] == [f"damaged by rollback of {first}"]
    said = orders.alembic("upgrade", "head").err
    assert said.count("Restored view public.totals") == 1
    assert said.count("Restored view public.above") == 1
    assert "could not be restored" not in said
    assert dump(orders) == before
    assert problems(orders) == {}


def test_what_nobody_is_known_to_have_made_is_a_note(orders: Project) -> None:
    orders.execute(
        "CREATE VIEW suppliers AS SELECT DISTINCT supplier FROM purchase_orders",
        "CREATE FUNCTION known() RETURNS SETOF suppliers LANGUAGE sql AS 'TABLE suppliers'",
    )
    before = dump(orders)
    roll_back(orders)
    note = (
        f"view public.suppliers was taken by the rollback of {ORDERS}; "
        "it comes back when that is applied again."
    )
    notes = orders.status()["notes"]
    assert note in notes
    assert len(notes) == 2
    orders.alembic("upgrade", "head")
    assert orders.status()["notes"] == []
    assert dump(orders) == before


def test_what_cannot_be_restored_is_said_with_its_sql(orders: Project) -> None:
    orders.execute(
        "INSERT INTO purchase_orders VALUES (1, 'x')", "INSERT INTO po_items VALUES (1, 1, 5)"
    )
    roll_back(orders)
    said = orders.alembic("upgrade", "head").err
    assert "could not be restored: insert or update on table" in said
    assert said.count("items_of_order on public.po_items, which") == 1
    assert 'Key (po)=(1) is not present in table "purchase_orders"' in said
    statements = said[said.index("Once that is put right, run:\n") :].splitlines()[1:3]
    assert statements[0].startswith("ALTER TABLE")
    assert [key[0] for key in foreign_keys(orders)] == ["of_order"]
    assert problems(orders) == {ITEMS: [TAKEN]}
    orders.execute("INSERT INTO purchase_orders VALUES (1, 'x')")
    verbatim(orders, *statements)
    assert problems(orders) == {}
    assert len(foreign_keys(orders)) == 2


def test_what_is_left_is_tried_with_the_next_step_up(orders: Project) -> None:
    orders.execute(
        "INSERT INTO purchase_orders VALUES (1, 'x')", "INSERT INTO po_items VALUES (1, 1, 5)"
    )
    roll_back(orders)
    orders.alembic("upgrade", "head")
    orders.execute("INSERT INTO purchase_orders VALUES (1, 'x')")
    orders.table("20260112_004_other", "other")
    said = orders.alembic("upgrade", "head").err
    assert "Restored table constraint items_of_order on public.po_items" in said
    assert problems(orders) == {}


def test_what_was_made_again_by_hand_is_left_as_it_is(orders: Project) -> None:
    orders.execute("CREATE VIEW suppliers AS SELECT supplier FROM purchase_orders")
    roll_back(orders)
    orders.execute("CREATE VIEW suppliers AS SELECT 'none' AS supplier")
    assert orders.status()["notes"] == []
    said = orders.alembic("upgrade", "head").err
    assert "view public.suppliers, which" in said
    assert "is there already" in said
    assert orders.query("SELECT * FROM suppliers") == [("none",)]
    assert outcomes(orders).count("repaired") == 3


def test_another_object_of_the_name_stays(orders: Project) -> None:
    orders.execute("CREATE VIEW suppliers AS SELECT supplier FROM purchase_orders")
    roll_back(orders)
    orders.execute("CREATE TABLE suppliers (id int)")
    said = orders.alembic("upgrade", "head").err
    assert "could not be restored" not in said
    assert "suppliers" in orders.tables()
    assert outcomes(orders).count("repaired") == 3


def test_an_owner_that_is_rolled_back_too_is_no_longer_damaged(orders: Project) -> None:
    roll_back(orders)
    roll_back(orders, ITEMS)
    assert damaged(orders) == {ATTACHMENTS: [TAKEN]}
    orders.alembic("upgrade", "head")
    assert problems(orders) == {}
    assert len(foreign_keys(orders)) == 2
    assert outcomes(orders).count("repaired") == 1


def test_a_rollback_of_all_takes_nothing_from_others(orders: Project) -> None:
    roll_back(orders, "--all")
    assert outcomes(orders) == []
    orders.alembic("upgrade", "head")
    assert problems(orders) == {}


def test_an_upgrade_that_fails_brings_nothing_back(orders: Project) -> None:
    roll_back(orders)
    orders.pair("20260112_004_fails", "SELECT 1 / 0;\n", "")
    said = orders.alembic("upgrade", "head", code=1).err
    assert "Restored" not in said
    assert outcomes(orders) == ["collateral"] * 2
    assert list(damaged(orders)) == [ITEMS, ATTACHMENTS]


@pytest.mark.parametrize("driver", ["psycopg", "pg8000"])
def test_with_other_drivers(orders: Project, driver: str) -> None:
    pytest.importorskip(driver)
    orders.execute("CREATE VIEW suppliers AS SELECT supplier FROM purchase_orders")
    before = dump(orders)
    url = orders.url.set(drivername=f"postgresql+{driver}")
    if driver == "pg8000" and "host" in url.query:
        socket = f"{url.query['host']}/.s.PGSQL.{url.query['port']}"
        url = url.set(query={"unix_sock": socket})
    shown = url.render_as_string(hide_password=False)
    orders.write_env(ENV.format(url=shown, options="{}"))
    roll_back(orders)
    assert list(damaged(orders)) == [ITEMS, ATTACHMENTS]
    orders.alembic("upgrade", "head")
    assert dump(orders) == before
    assert problems(orders) == {}


def test_a_rollback_that_fails_keeps_nothing(orders: Project) -> None:
    before = dump(orders)
    down = orders.versions / f"{ORDERS}_create_purchase_orders.down.sql"
    down.write_text("DROP TABLE purchase_orders CASCADE;\nSELECT 1 / 0;\n")
    roll_back(orders, code=1)
    assert outcomes(orders) == []
    assert dump(orders) == before
    assert problems(orders) == {}


def test_lost_values_are_said_once_and_stay_lost(project: Project) -> None:
    project.pair(
        "001_kinds",
        "CREATE TYPE kind AS ENUM ('a', 'b');\n",
        "DROP TYPE kind CASCADE;\n",
    )
    project.pair("002_things", "CREATE TABLE things (id int, what kind);\n", "DROP TABLE things;\n")
    project.alembic("upgrade", "head")
    roll_back(project, "001")
    said = project.alembic("upgrade", "head").err
    assert "what, which the rollback of 001 had taken, is not made again: its values" in said
    assert problems(project) == {"002": ["damaged by rollback of 001"]}
    project.table("003_other", "other")
    assert "is not made again" not in project.alembic("upgrade", "head").err
    project.execute("ALTER TABLE things ADD what kind")
    assert problems(project) == {}


def test_a_role_without_the_right_to_restore(orders: Project) -> None:
    """The step runs all the same; what could not be done is said."""
    roll_back(orders)
    role = f"r_{orders.url.database}"
    orders.execute(
        f"CREATE ROLE {role}",
        f"GRANT ALL ON SCHEMA public TO {role}",
        f"GRANT ALL ON alembic_version, schema_migrations, schema_migrations_log TO {role}",
    )
    env = ENV.format(url=orders.shown_url, options="{}")
    env = env.replace(
        "as connection:\n",
        f"as connection:\n        connection.exec_driver_sql('SET ROLE {role}')\n"
        "        connection.commit()\n",
    )
    orders.write_env(env)
    try:
        said = orders.alembic("upgrade", "head").err
        assert "could not be restored: must be owner of table po_items" in said
        assert orders.applied() == [ORDERS, ITEMS, ATTACHMENTS]
        assert list(problems(orders)) == [ITEMS, ATTACHMENTS]
    finally:
        orders.execute(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_rows_about_objects_hide_and_fake_nothing(project: Project) -> None:
    """Failures, ghosts, adoption and what a run has committed are read past them."""
    ledger, run = Ledger("public", "schema_migrations"), Run("run")
    one = Collateral("001", "view", "public.v", ("CREATE VIEW v AS SELECT 'é%:x'",), owner="002")
    engine = create_engine(project.url, poolclass=NullPool)
    with engine.begin() as connection:
        ledger.create(connection)
        assert ledger.collateral(connection) == []
        ledger.note_collateral(connection, run, one, repaired=False)
        assert ledger.is_adopting(connection)
        assert ledger.collateral(connection) == [one]
        applied = LogEntry("001", "up", "applied", "first", down_revisions=("000",))
        ledger.add(connection, run, applied)
        ledger.note(connection, run, LogEntry("001", "down", "failed", error="boom"))
        ledger.note_collateral(connection, run, one, repaired=True)
        assert ledger.collateral(connection) == []
        assert list(ledger.failures(connection)) == ["001"]
        assert ledger.logged(connection, "run", "applied") == ("001",)
        assert not ledger.is_adopting(connection)
        ledger.note_collateral(connection, run, one, repaired=False)
        ledger.remove(connection, run, LogEntry("002", "down", "rolled_back"))
        assert ledger.collateral(connection) == []


def test_adopting_is_unaffected(orders: Project) -> None:
    """A database that comes without a ledger is adopted; nothing is open there."""
    roll_back(orders)
    orders.execute("DROP TABLE schema_migrations, schema_migrations_log")
    assert problems(orders) == {}
    orders.table("20260112_004_other", "other")
    orders.alembic("upgrade", "head")
    assert outcomes(orders) == []
