"""Impact: what a plan would take away is counted, exactly or not at all, before anything runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from alembic_rollback.catalog.counting import Budget
from alembic_rollback.checks.impact import assess
from alembic_rollback.checks.losses import shown_rows
from alembic_rollback.model import Plan, Revision, TableLoss
from alembic_rollback.sql.script import read_script

ROWS = "INSERT INTO {} SELECT i FROM generate_series(1, {}) i"


def execute(connection, *statements):
    for sql in statements:
        connection.exec_driver_sql(sql, execution_options={"no_parameters": True}).close()


def table(connection, name, rows, more=""):
    execute(connection, f"CREATE TABLE {name} (id int{more})", ROWS.format(name, rows))


def lost(step):
    """The tables that lose rows, without their oids."""
    return [replace(one, oid=0) for one in step.tables]


@pytest.fixture
def session(engine):
    with engine.connect() as found, found.begin():
        yield found


def weigh(connection, *downs: str | None, limit=1_000_000):
    """The impact of one step for each text; None is a `.py` revision."""
    steps = [Revision(str(i), "", f"/x/{i}.down.sql") for i in range(len(downs))]
    scripts = {
        step.version: None if text is None else read_script(text, step.path)
        for step, text in zip(steps, downs, strict=True)
    }
    return assess(connection, Plan(tuple(steps)), scripts, Budget(limit))


def losses(connection, *downs, **more):
    return [line for step in weigh(connection, *downs, **more).steps for line in step.losses]


# Tables


def test_a_dropped_table_is_told_with_its_rows(session):
    table(session, "orders", 150)
    (step,) = weigh(session, "DROP TABLE orders;").steps
    assert step.losses == ("DROP TABLE orders (containing 150 rows)",)
    assert lost(step) == [TableLoss("orders", 150, True, ())]
    assert step.destructive is True


@pytest.mark.parametrize(("rows", "shown"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows")])
def test_rows_are_counted_in_singular_and_plural(session, rows, shown):
    table(session, "t", rows)
    assert losses(session, "DROP TABLE t;") == [f"DROP TABLE t (containing {shown})"]


def test_an_empty_table_is_destructive_all_the_same(session):
    table(session, "t", 0)
    assert weigh(session, "DROP TABLE t;").destructive is True


def test_several_tables_of_a_statement_are_told_each(session):
    table(session, "a", 1)
    table(session, "b", 2)
    assert losses(session, "DROP TABLE a, b;") == [
        "DROP TABLE a (containing 1 row)",
        "DROP TABLE b (containing 2 rows)",
    ]


def test_a_table_that_is_not_there_is_told_as_such(session):
    (step,) = weigh(session, "DROP TABLE IF EXISTS app.gone;").steps
    assert step.losses == ("DROP TABLE app.gone (no such table now)",)
    assert step.tables == ()


@pytest.mark.parametrize(
    "name", ['"UserData"', '"user data"', '"co:lon"', '"per%cent %s"', '"quo""ted"', '"größe"']
)
def test_a_quoted_name_is_counted(session, name):
    table(session, name, 3, ', "co:l%s" int DEFAULT 1')
    assert losses(session, f"DROP TABLE {name};")[0].endswith("(containing 3 rows)")
    column = f'ALTER TABLE {name} DROP COLUMN "co:l%s";'
    assert losses(session, column)[0].endswith("(containing 3 values)")


def test_a_table_of_another_schema_is_counted_there(session):
    execute(session, 'CREATE SCHEMA "App"')
    table(session, "t", 1)
    table(session, '"App".t', 5)
    assert losses(session, 'DROP TABLE "App".t;') == ['DROP TABLE "App".t (containing 5 rows)']


def test_a_name_without_a_schema_is_looked_for_by_search_path(session):
    execute(session, "CREATE SCHEMA app", "SET LOCAL search_path = app, public")
    table(session, "public.t", 1)
    table(session, "app.t", 5)
    assert losses(session, "DROP TABLE t;") == ["DROP TABLE t (containing 5 rows)"]


def test_a_name_is_looked_for_by_the_search_path_that_the_script_sets(session):
    execute(session, "CREATE SCHEMA app")
    table(session, "public.t", 0)
    table(session, "app.t", 5)
    assert "5 rows" in losses(session, "SET search_path = app; DROP TABLE t;")[0]


@pytest.mark.parametrize(
    "rename",
    [
        "ALTER TABLE new RENAME TO old;",
        "ALTER TABLE new RENAME TO x; ALTER TABLE x RENAME TO old;",
        "CREATE SCHEMA s; ALTER TABLE new SET SCHEMA s; ALTER TABLE s.new SET SCHEMA public; "
        "ALTER TABLE public.new RENAME TO old;",
    ],
)
def test_a_table_that_an_earlier_step_renames_is_counted(session, rename):
    table(session, "new", 150)
    impact = weigh(session, rename, "DROP TABLE old;")
    assert "150 rows" in impact.steps[1].losses[0]


def test_a_column_that_an_earlier_step_renames_is_counted(session):
    table(session, "t", 150)
    downs = ("ALTER TABLE t RENAME COLUMN id TO code;", "ALTER TABLE t DROP COLUMN code;")
    assert "150 values" in losses(session, *downs)[-1]


def test_a_table_dropped_twice_is_counted_once(session):
    table(session, "t", 7)
    impact = weigh(session, "DROP TABLE t;", "DROP TABLE IF EXISTS t;")
    assert [lost(step) for step in impact.steps] == [[TableLoss("t", 7, True, ())], []]


def test_a_table_of_a_dropped_schema_is_counted_once(session):
    execute(session, "CREATE SCHEMA app")
    table(session, "app.t", 7)
    found = losses(session, "DROP TABLE app.t; DROP SCHEMA app CASCADE;")
    assert found == ["DROP TABLE app.t (containing 7 rows)", "DROP SCHEMA app (1 table)"]


def test_columns_of_a_dropped_table_are_not_told_again(session):
    table(session, "t", 7)
    found = losses(session, "DROP TABLE t;", "ALTER TABLE IF EXISTS t DROP COLUMN id;")
    assert found == ["DROP TABLE t (containing 7 rows)"]


def test_a_partitioned_table_is_counted_whole(session):
    execute(
        session,
        "CREATE TABLE p (id int) PARTITION BY RANGE (id)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100)",
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (1000)",
        ROWS.format("p", 150),
    )
    assert losses(session, "DROP TABLE p;") == ["DROP TABLE p (containing 150 rows)"]


def test_a_materialized_view_is_counted(session):
    execute(session, "CREATE MATERIALIZED VIEW m AS SELECT generate_series(1, 4)")
    found = losses(session, "DROP MATERIALIZED VIEW m;")
    assert found == ["DROP MATERIALIZED VIEW m (containing 4 rows)"]


# Columns


def test_a_dropped_column_is_told_with_its_values(session):
    table(session, "t", 10, ", total int")
    execute(session, "UPDATE t SET total = 1 WHERE id <= 4")
    (step,) = weigh(session, "ALTER TABLE t DROP COLUMN total;").steps
    assert step.losses == ("DROP COLUMN total OF t (containing 4 values)",)
    assert step.destructive is True


@pytest.mark.parametrize(("rows", "shown"), [(0, "0 values"), (1, "1 value")])
def test_values_are_counted_in_singular_and_plural(session, rows, shown):
    table(session, "t", rows)
    found = losses(session, "ALTER TABLE t DROP id;")
    assert found == [f"DROP COLUMN id OF t (containing {shown})"]


def test_a_changed_type_is_told_with_the_values_it_may_change(session):
    table(session, "t", 10)
    found = losses(session, "ALTER TABLE t ALTER id TYPE smallint;")
    assert found == ["CHANGE TYPE OF id IN t (10 values, none of them changed)"]


def test_a_column_that_is_not_there_is_told_as_such(session):
    table(session, "t", 10)
    found = losses(session, "ALTER TABLE t DROP COLUMN IF EXISTS x;")
    assert found == ["DROP COLUMN x OF t (no such column now)"]


def test_a_column_of_a_table_that_is_not_there_is_told_as_such(session):
    found = losses(session, "ALTER TABLE IF EXISTS t DROP COLUMN x;")
    assert found == ["DROP COLUMN x OF t (no such table now)"]


# Rows


@pytest.mark.parametrize(
    ("sql", "verb"),
    [
        ("TRUNCATE t;", "TRUNCATE"),
        ("DELETE FROM t WHERE id > 3;", "DELETE FROM"),
        ("UPDATE t SET id = 0;", "UPDATE"),
        ("WITH gone AS (DELETE FROM t RETURNING 1) SELECT 1;", "DELETE FROM"),
    ],
)
def test_rows_that_are_changed_are_told_with_their_table(session, sql, verb):
    table(session, "t", 9)
    (step,) = weigh(session, sql).steps
    assert (step.losses, step.destructive) == ((f"{verb} t (containing 9 rows)",), True)


def test_truncate_cascade_tells_the_tables_it_reaches(session):
    execute(session, "CREATE TABLE a (id int PRIMARY KEY)")
    execute(session, "INSERT INTO a VALUES (1)", "CREATE TABLE b (id int REFERENCES a)")
    execute(session, "INSERT INTO b VALUES (1), (1), (1)")
    impact = weigh(session, "TRUNCATE a CASCADE;")
    assert "3 rows" in " ".join(impact.steps[0].losses) or "b" in impact.referenced_by


def test_delete_tells_the_tables_that_its_foreign_keys_reach(session):
    execute(session, "CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1)")
    execute(session, "CREATE TABLE b (id int REFERENCES a ON DELETE CASCADE)")
    execute(session, "INSERT INTO b VALUES (1), (1), (1)")
    impact = weigh(session, "DELETE FROM a;")
    assert "3 rows" in " ".join(impact.steps[0].losses) or "b" in impact.referenced_by


# Schemas


def test_a_dropped_schema_is_told_with_every_table_in_it(session):
    execute(session, "CREATE SCHEMA app", "CREATE VIEW app.v AS SELECT 1 AS a")
    table(session, "app.a", 3)
    table(session, 'app."B"', 4)
    execute(session, "CREATE MATERIALIZED VIEW app.m AS SELECT 1 AS a")
    (step,) = weigh(session, "DROP SCHEMA app CASCADE;").steps
    assert step.losses[0] == "DROP SCHEMA app (3 tables)"
    assert sorted(step.losses[1:]) == [
        'DROP TABLE app."B" (containing 4 rows)',
        "DROP TABLE app.a (containing 3 rows)",
        "DROP TABLE app.m (containing 1 row)",
        "DROP by CASCADE: view app.v",
    ]


def test_partitions_in_a_dropped_schema_are_not_counted_twice(session):
    execute(
        session,
        "CREATE SCHEMA app",
        "CREATE TABLE app.p (id int) PARTITION BY RANGE (id)",
        "CREATE TABLE app.p1 PARTITION OF app.p FOR VALUES FROM (0) TO (1000)",
        ROWS.format("app.p", 150),
    )
    (step,) = weigh(session, "DROP SCHEMA app CASCADE;").steps
    assert lost(step) == [TableLoss("app.p", 150)]


def test_a_partition_of_a_table_elsewhere_is_counted_with_its_schema(session):
    execute(
        session,
        "CREATE SCHEMA app",
        "CREATE TABLE p (id int) PARTITION BY RANGE (id)",
        "CREATE TABLE app.p1 PARTITION OF p FOR VALUES FROM (0) TO (1000)",
        ROWS.format("p", 150),
    )
    assert "150 rows" in " ".join(losses(session, "DROP SCHEMA app CASCADE;"))


def test_one_table_of_a_schema_is_counted_in_the_singular(session):
    execute(session, "CREATE SCHEMA app")
    table(session, "app.t", 1)
    assert losses(session, "DROP SCHEMA app CASCADE;")[0] == "DROP SCHEMA app (1 table)"


def test_a_schema_that_is_not_there_is_told_as_such(session):
    assert losses(session, "DROP SCHEMA IF EXISTS app;") == ["DROP SCHEMA app (no such schema now)"]


# What hangs on tables


def test_indexes_and_policies_of_dropped_tables_are_one_line(session):
    execute(
        session,
        "CREATE TABLE t (id int PRIMARY KEY)",
        "CREATE POLICY p ON t USING (true)",
        "CREATE INDEX i ON t (id)",
    )
    found = losses(session, "DROP POLICY p ON t; DROP INDEX i; DROP TABLE t;")
    assert found == ["DROP TABLE t (containing 0 rows)", "DROP related indexes and policies"]


def test_a_column_that_the_plan_itself_adds_hides_no_earlier_loss(session):
    table(session, "t", 3)
    table(session, "u", 1)
    (step,) = weigh(session, "DROP TABLE t; ALTER TABLE u ADD c int; ALTER TABLE u DROP c;").steps
    assert (step.losses, step.destructive) == (("DROP TABLE t (containing 3 rows)",), True)


def test_an_index_alone_is_told_and_not_destructive(session):
    execute(session, "CREATE TABLE t (id int)", "CREATE INDEX i ON t (id)")
    (step,) = weigh(session, "DROP INDEX i;").steps
    assert (step.losses, step.destructive) == (("DROP INDEX i",), False)


@pytest.mark.parametrize("text", ["", "-- nothing\n", "COMMENT ON SCHEMA public IS 'x';"])
def test_a_step_that_takes_nothing_is_not_destructive(session, text):
    (step,) = weigh(session, text).steps
    assert (step.losses, step.destructive) == ((), False)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\nDO $$ BEGIN END $$;", "DO block (line 2): what it does is not known"),
        ("CALL p();", "CALL p (line 1): what it does is not known"),
        ("SELECT app.clean();", "CALL app.clean (line 1): what it does is not known"),
    ],
)
def test_what_cannot_be_read_from_the_text_is_said_and_destructive(session, text, line):
    (step,) = weigh(session, text).steps
    assert (step.losses, step.destructive) == ((line,), True)


def test_a_python_revision_is_not_known_and_destructive(session):
    (step,) = weigh(session, None).steps
    line = "run downgrade() of /x/0.down.sql: what it destroys is not known"
    assert (step.losses, step.destructive) == ((line,), True)


def test_why_a_step_runs_outside_a_transaction_is_told(session):
    (step,) = weigh(session, "\nDROP INDEX CONCURRENTLY i;").steps
    assert step.outside == "line 2: DROP INDEX CONCURRENTLY"


# Foreign keys


def test_foreign_keys_from_outside_the_plan_are_told(session):
    execute(
        session,
        'CREATE SCHEMA "App"',
        "CREATE TABLE a (id int PRIMARY KEY, parent int REFERENCES a)",
        "CREATE TABLE b (id int REFERENCES a)",
        'CREATE TABLE "App"."C" (id int REFERENCES a)',
    )
    impact = weigh(session, "DROP TABLE a CASCADE;")
    assert impact.referenced_by == ("b", '"App"."C"')
    assert impact.steps[0].tables[0].referenced_by == ("b", '"App"."C"')


def test_foreign_keys_within_the_plan_are_not_from_outside(session):
    execute(session, "CREATE TABLE a (id int PRIMARY KEY)", "CREATE TABLE b (id int REFERENCES a)")
    assert weigh(session, "DROP TABLE b;", "DROP TABLE a;").referenced_by == ()


# Estimates


def test_up_to_the_limit_rows_are_counted_exactly(session):
    table(session, "t", 100)
    assert losses(session, "DROP TABLE t;", limit=100) == ["DROP TABLE t (containing 100 rows)"]


def test_beyond_the_limit_the_estimate_is_marked(session):
    table(session, "t", 150)
    execute(session, "ANALYZE t")
    assert losses(session, "DROP TABLE t;", limit=100) == ["DROP TABLE t (containing ~150 rows)"]


def test_an_estimate_is_never_below_what_was_counted(session):
    table(session, "t", 5)
    execute(session, "ANALYZE t", ROWS.format("t", 145))
    assert losses(session, "DROP TABLE t;", limit=100) == ["DROP TABLE t (containing ~100 rows)"]


def test_counting_leaves_no_setting_behind(session):
    table(session, "t", 1)
    settings = "SELECT string_agg(name || setting, ',' ORDER BY name) FROM pg_settings"
    before = session.exec_driver_sql(settings).scalar_one()
    weigh(session, "DROP TABLE t;")
    assert session.exec_driver_sql(settings).scalar_one() == before


def test_a_table_that_somebody_has_locked_is_estimated_and_not_waited_for(engine, session):
    with engine.begin() as setup:
        table(setup, "t", 150)
        execute(setup, "ANALYZE t")
    with engine.begin() as other:
        execute(other, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        found = losses(session, "DROP TABLE t;")
    assert found == ["DROP TABLE t (containing ~150 rows)"]


@pytest.mark.parametrize(
    ("rows", "exact", "shown"),
    [
        (150, True, "150 rows"),
        (1, True, "1 row"),
        (2_000_000, False, "~2000000 rows"),
        (1, False, "~1 row"),
        (None, False, "an unknown number of rows"),
    ],
)
def test_rows_are_shown_with_what_is_known_of_them(rows, exact, shown):
    assert shown_rows(rows, exact) == shown


# Row-level security


@pytest.fixture
def role(engine, database_url):
    """A role without rights of its own, with its engine; it owns what the test makes."""
    name = f"role_{database_url.database}"
    with engine.begin() as admin:
        execute(admin, f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
        execute(admin, f"GRANT CREATE ON SCHEMA public TO {name}")
    yield create_engine(database_url.set(username=name, password="x"), poolclass=NullPool), name
    with engine.begin() as admin:
        execute(admin, f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def forced(owner):
    table(owner, "t", 150)
    execute(
        owner,
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE t FORCE ROW LEVEL SECURITY",
        "CREATE POLICY p ON t USING (false)",
    )


@pytest.mark.parametrize(("analyze", "shown"), [(True, "~150"), (False, "an unknown number of")])
def test_forced_row_level_security_never_makes_the_owner_count_nothing(role, analyze, shown):
    engine, _ = role
    with engine.connect() as owner, owner.begin():
        forced(owner)
        if analyze:
            execute(owner, "ANALYZE t")
        why = "row-level security hides rows from this role"
        assert losses(owner, "DROP TABLE t;")[0] == f"DROP TABLE t (containing {shown} rows: {why})"
        column = "ALTER TABLE t DROP COLUMN id;"
        assert losses(owner, column) == [f"DROP COLUMN id OF t (containing {shown} values: {why})"]
        assert owner.exec_driver_sql("SELECT count(*) FROM t").scalar_one() == 0


def hidden(admin, name, *, analyze):
    table(admin, "t", 150)
    execute(
        admin,
        f"GRANT SELECT ON t TO {name}",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY p ON t USING (id <= 5)",
    )
    if analyze:
        execute(admin, "ANALYZE t")


def test_a_role_that_may_not_see_all_rows_gets_an_estimate(engine, role):
    shown = "~150 rows"
    limited, name = role
    with engine.begin() as admin:
        hidden(admin, name, analyze=True)
    with limited.connect() as connection:
        (step,) = weigh(connection, "DROP TABLE t;").steps
    assert step.losses[0].startswith(f"DROP TABLE t (containing {shown}")
    assert step.tables[0].exact is False


def test_a_role_that_may_not_read_gets_an_estimate(engine, role):
    limited, _ = role
    with engine.begin() as admin:
        table(admin, "t", 150)
        execute(admin, "ANALYZE t")
    with limited.connect() as connection:
        why = "this role lacks SELECT on it"
        assert losses(connection, "DROP TABLE t;") == [
            f"DROP TABLE t (containing ~150 rows: {why})"
        ]


def test_an_estimate_of_zero_is_never_shown_for_rows_that_cannot_be_seen(engine, role):
    limited, _ = role
    with engine.begin() as admin:
        execute(admin, "CREATE TABLE t (id int)")
        # What autovacuum leaves behind when it came before the rows did.
        execute(admin, ROWS.format("t", 1), "DELETE FROM t")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as admin:
        execute(admin, "VACUUM ANALYZE t", ROWS.format("t", 150))
    with limited.connect() as connection:
        (loss,) = weigh(connection, "DROP TABLE t;").steps[0].tables
    assert loss.rows is None or loss.rows > 0


# Locks


def locks_of(connection):
    """What this backend holds, but for its transaction's own entries and those of this query."""
    return connection.exec_driver_sql(
        # Several modes on one object are one entry of the lock table.
        "SELECT count(DISTINCT (relation, classid, objid)) FROM pg_locks "
        "WHERE pid = pg_backend_pid() "
        "AND locktype IN ('relation', 'object') "
        "AND relation IS DISTINCT FROM 'pg_locks'::regclass"
    ).scalar_one()


RICH = """
CREATE TABLE {0} (id bigserial PRIMARY KEY, a text UNIQUE, b text NOT NULL CHECK (b <> ''), c int);
CREATE INDEX {0}_i ON {0} (c);
CREATE VIEW {0}_v AS SELECT * FROM {0};
CREATE STATISTICS {0}_s ON a, b FROM {0};
CREATE POLICY {0}_p ON {0} USING (true);
CREATE TABLE {0}_child (id bigint REFERENCES {0}, d text);
CREATE FUNCTION {0}_f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER {0}_t BEFORE INSERT ON {0} FOR EACH ROW EXECUTE FUNCTION {0}_f();
"""
WITHOUT_VIEW = RICH.replace("CREATE VIEW {0}_v AS SELECT * FROM {0};\n", "")
PARTITIONED = "CREATE TABLE p (id int, a text) PARTITION BY LIST (id); CREATE INDEX ON p (a);" + (
    "".join(f"CREATE TABLE p{i} PARTITION OF p FOR VALUES IN ({i});" for i in range(40))
)
LOADS = {
    "many tables": (
        "".join(WITHOUT_VIEW.format(f"t{i}") for i in range(25)),
        [
            f"DROP TABLE t{i}_child; DROP TABLE t{i} CASCADE; DROP FUNCTION t{i}_f();"
            for i in range(25)
        ],
    ),
    "schema of tables": (
        "CREATE SCHEMA app;" + "".join(f"CREATE TABLE app.t{i} (a text);" for i in range(30)),
        ["DROP SCHEMA app CASCADE;"],
    ),
    "partitions": (PARTITIONED, ["DROP TABLE p;"]),
    "columns": (
        "".join(f"CREATE TABLE t{i} (a text PRIMARY KEY, b text);" for i in range(20)),
        [f"ALTER TABLE t{i} DROP COLUMN b;" for i in range(20)],
    ),
    "indexes": (
        "CREATE TABLE t (a int, b int);"
        + "".join(f"CREATE INDEX i{i} ON t (a);" for i in range(20)),
        [f"DROP INDEX i{i};" for i in range(20)],
    ),
}
LOW = {
    "views and foreign keys": (
        "".join(RICH.format(f"t{i}") for i in range(25)),
        [f"DROP TABLE t{i} CASCADE; DROP FUNCTION t{i}_f();" for i in range(25)],
    ),
    "a view and a foreign key": (RICH.format("a"), ["DROP TABLE a CASCADE;"]),
    "rows": (RICH.format("a"), ["DELETE FROM a; TRUNCATE a CASCADE;"]),
    "schema of functions": (
        "CREATE SCHEMA app;"
        + "".join(
            f"CREATE FUNCTION app.f{i}() RETURNS int LANGUAGE sql AS 'SELECT 1';" for i in range(50)
        ),
        ["DROP SCHEMA app CASCADE;"],
    ),
    "truncated partitions": (PARTITIONED, ["TRUNCATE p;"]),
    "deleted from partitions": (PARTITIONED, ["DELETE FROM p;"]),
    "column of partitions": (PARTITIONED, ["ALTER TABLE p DROP COLUMN a;"]),
}


def estimated_and_held(engine, load):
    made, downs = load
    with engine.begin() as setup:
        for statement in read_script(made, Path("/x/a.up.sql")).statements:
            execute(setup, statement.text)
    with engine.connect() as connection:
        estimate = weigh(connection, *downs).locks
        connection.rollback()
        for down in downs:
            for statement in read_script(down, Path("/x/a.down.sql")).statements:
                execute(connection, statement.text)
        held = locks_of(connection)
        connection.rollback()
    return estimate, held


@pytest.mark.parametrize("load", LOADS.values(), ids=LOADS)
def test_the_estimate_of_locks_is_not_below_the_locks_that_are_held(engine, load):
    estimate, held = estimated_and_held(engine, load)
    assert estimate >= held


@pytest.mark.parametrize("load", LOW.values(), ids=LOW)
def test_what_a_statement_reaches_counts_for_the_estimate_of_locks(engine, load):
    estimate, held = estimated_and_held(engine, load)
    assert estimate >= held


def test_the_estimate_of_locks_grows_with_the_tables_of_the_plan(session):
    for i in range(300):
        execute(session, f"CREATE TABLE t{i} (id int PRIMARY KEY, a text)")
    few = weigh(session, *(f"DROP TABLE t{i};" for i in range(30)))
    many = weigh(session, *(f"DROP TABLE t{i};" for i in range(300)))
    assert len(many.steps) == 300
    assert many.locks == 10 * few.locks


def test_the_servers_lock_capacity_is_read_from_its_settings(session):
    one, two, three = (
        int(session.exec_driver_sql(f"SHOW {name}").scalar_one())
        for name in ("max_locks_per_transaction", "max_connections", "max_prepared_transactions")
    )
    assert weigh(session, "").lock_capacity == one * (two + three)


# Functions


@pytest.mark.parametrize(
    "text",
    [
        "SELECT setval('s', 5);",
        "SELECT pg_catalog.set_config('search_path', '', false);",
        "INSERT INTO l VALUES (lower('X'), now(), gen_random_uuid());",
        "SELECT count(*), max(id) FROM l;",
    ],
)
def test_functions_of_postgresql_that_touch_no_row_are_not_told(session, text):
    execute(session, "CREATE SEQUENCE s", "CREATE TABLE l (id text)")
    (step,) = weigh(session, text).steps
    assert (step.losses, step.destructive) == ((), False)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT f();",
        "INSERT INTO l SELECT f();",
        "CREATE TABLE n AS SELECT f();",
        "ALTER TABLE l ADD COLUMN a int DEFAULT f();",
        "SELECT app.lower('x');",
        "SELECT query_to_xml('DELETE FROM l', true, true, '');",
    ],
)
def test_a_function_that_may_do_anything_is_unknown(session, text):
    execute(
        session,
        "CREATE TABLE l (id text)",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'DELETE FROM l; SELECT 1'",
        "CREATE SCHEMA app",
    )
    (step,) = weigh(session, text).steps
    assert step.destructive is True
    assert "what it does is not known" in step.losses[0]


def test_cascade_from_what_columns_may_use_is_unknown(session):
    execute(session, 'CREATE COLLATION c FROM "C"', "CREATE TABLE l (id text COLLATE c)")
    (step,) = weigh(session, "DROP COLLATION c CASCADE;").steps
    assert step.destructive is True
