"""What became of rows between two moments: gone, extra, changed, with which column."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, Engine

from alembic_rollback.seeding import seed
from alembic_rollback.survival import Loss, lost, remember

BASE = """
CREATE TABLE orders (id int PRIMARY KEY, note text, "Total %s:x" numeric(9,2), j json);
INSERT INTO orders SELECT n, 'note ' || n, n + 0.50, '{"b": 1,  "a": 2}'
    FROM generate_series(1, 5) n;
CREATE TABLE log (at timestamptz, what text);
INSERT INTO log SELECT '2026-01-01Z', 'w' || n % 3 FROM generate_series(1, 6) n;
CREATE SCHEMA app;
CREATE TABLE app.parts (id int, v text) PARTITION BY LIST (id);
CREATE TABLE app.part_1 PARTITION OF app.parts FOR VALUES IN (1);
INSERT INTO app.parts VALUES (1, 'x');
CREATE TABLE empty (id int);
CREATE TABLE nothing ();
"""


@pytest.fixture
def db(engine: Engine):
    with engine.connect() as connection:
        run(connection, BASE)
        yield connection
        connection.rollback()


def run(db: Connection, sql: str) -> None:
    db.exec_driver_sql(sql, execution_options={"no_parameters": True})


CASES = {
    "nothing": ("", []),
    "a new column, and in another order": (
        "ALTER TABLE orders ADD x int; ALTER TABLE orders DROP x; CREATE TABLE new (id int);"
        "ALTER TABLE orders RENAME TO o; CREATE TABLE orders AS SELECT j, id, note, "
        '"Total %s:x" FROM o ORDER BY id DESC; DROP TABLE o',
        [],
    ),
    "rows that moved": ("DELETE FROM log; INSERT INTO log SELECT '2026-01-01T01:00+01', 'w' || n "
        "FROM generate_series(0, 2) n CROSS JOIN generate_series(1, 2)", []),
    "settings": ("SET timezone = 'Asia/Tokyo'; SET datestyle = 'German'", []),
    "values": (
        "UPDATE orders SET note = NULL WHERE id < 3; UPDATE orders SET note = '' WHERE id = 3",
        ["orders.note: values of 3 rows are not what they were"],
    ),
    "json": (
        "UPDATE orders SET j = j::jsonb WHERE id = 1; UPDATE orders SET j = 'null' WHERE id = 2",
        ["orders.j: values of 2 rows are not what they were"],
    ),
    "numbers": (
        'ALTER TABLE orders ALTER "Total %s:x" TYPE int; '
        'ALTER TABLE orders ALTER "Total %s:x" TYPE numeric(9,2)',
        ['orders."Total %s:x": values of 5 rows are not what they were'],
    ),
    "rows by key": (
        "DELETE FROM orders WHERE id < 4; INSERT INTO orders VALUES (9)",
        ["orders: 3 rows are gone", "orders: 1 row is there that was not"],
    ),
    "emptied": ("TRUNCATE orders", ["orders: 5 rows are gone"]),
    "dropped": ("DROP TABLE orders, empty", ["orders: 5 rows are gone with the table"]),
    "filled": (
        "INSERT INTO empty VALUES (1), (2); CREATE TABLE new AS SELECT 1 AS one",
        ["empty: 2 rows are there that were not", "new: 1 row is there that was not"],
    ),
    "column": (
        "ALTER TABLE orders DROP note",
        ["orders.note: values of 5 rows are gone with the column"],
    ),
    "column made again": (
        "ALTER TABLE orders DROP note; ALTER TABLE orders ADD note text",
        ["orders.note: values of 5 rows are not what they were"],
    ),
    "key that is gone": (
        "ALTER TABLE orders DROP id; UPDATE orders SET note = 'x' WHERE note = 'note 1'",
        ["orders.id: values of 5 rows are gone with the column",
         "orders.note: values of 1 row are not what they were"],
    ),
    "without a key": (
        "UPDATE log SET at = NULL WHERE what = 'w1'",
        ["log.at: values of 2 rows are not what they were"],
    ),
    "one of several equal": (
        "DELETE FROM log WHERE ctid = (SELECT ctid FROM log LIMIT 1)",
        ["log: 1 row is gone"],
    ),
    "partition": ("UPDATE app.parts SET v = 'y'",
        ["app.part_1.v: values of 1 row are not what they were"]),
    "without columns": ("INSERT INTO nothing DEFAULT VALUES",
        ["nothing: 1 row is there that was not"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_losses(db, name):
    sql, expected = CASES[name]
    before = remember(db)
    if sql:
        run(db, sql)
    assert sorted(loss.describe() for loss in lost(before, remember(db, known=before))) == sorted(
        expected
    )
    assert sorted(loss.describe() for loss in lost(before, remember(db))) == sorted(expected)


def test_tables_that_did_not_change_are_not_read_again(db):
    before = remember(db)
    again = remember(db, known=before)
    assert again.tables["public", "log"].rows is before.tables["public", "log"].rows
    assert ("app", "parts") not in again.tables


def test_more_rows_than_asked_for_are_only_counted(db):
    before = remember(db, 3)
    assert not before.tables["public", "orders"].rows
    assert before.tables["app", "part_1"].complete
    assert lost(before, remember(db, 3)) == ()
    run(db, "UPDATE orders SET note = 'x' WHERE id = 1; DELETE FROM log WHERE what = 'w2'")
    assert [loss.describe() for loss in lost(before, remember(db, 3))] == [
        "log: 2 rows are gone",
        "orders: of 5 rows, some are not what they were",
    ]


def test_many_rows_without_a_key(db):
    run(db, "CREATE TABLE many AS SELECT n, n AS m FROM generate_series(1, 1200) n")
    before = remember(db)
    run(db, "UPDATE many SET m = m + 1")
    found = lost(before, remember(db))
    assert found == (Loss("many", None, 1200, "gone"), Loss("many", None, 1200, "extra"))
    assert found[0].text == "1,200 rows"


def test_tables_that_do_not_matter(db):
    before = remember(db, without=[("public", "log")])
    run(db, "TRUNCATE log")
    assert lost(before, remember(db, without=[("public", "log")])) == ()


def test_settings_are_as_they_were(db):
    run(db, "SET timezone = 'Asia/Tokyo'")
    remember(db)
    assert db.exec_driver_sql("SHOW timezone").scalar() == "Asia/Tokyo"


def test_seeded_rows_survive_a_way_there_and_back(db):
    run(db, "CREATE TABLE wide (id serial PRIMARY KEY, r int4range, p point, b bytea, x xml)")
    seed(db)
    before = remember(db)
    run(db, "ALTER TABLE wide RENAME TO w; ALTER TABLE w ADD z int DEFAULT 3")
    assert lost(before, remember(db))
    run(db, "ALTER TABLE w DROP z; ALTER TABLE w RENAME TO wide")
    assert lost(before, remember(db)) == ()
    run(db, "ALTER TABLE wide ALTER b TYPE text; UPDATE wide SET b = upper(b) || 'ff'")
    run(db, "ALTER TABLE wide ALTER b TYPE bytea USING NULL")
    assert [(loss.column, loss.rows) for loss in lost(before, remember(db))] == [("b", 2)]
