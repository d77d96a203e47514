"""Ledger and log: their tables as documented, their rows, and every odd name and value."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from alembic_rollback.ledger import (
    Ghost,
    Ledger,
    Run,
    Shape,
    find_schema,
    ledger_name,
    server_now,
)
from alembic_rollback.model import LogEntry
from alembic_rollback.sql.names import quote_always, quote_literal

RUN = Run("11111111-2222-3333-4444-555555555555", "v1.2", "host:42")
ENTRY = LogEntry(
    "20260112_001",
    "up",
    "applied",
    name="create_orders",
    duration_ms=1500,
    checksum="a" * 64,
    down_checksum="b" * 64,
    down_sql="DROP TABLE orders;",
    down_revisions=("20260101_001", "3f2a91"),
    depends_on=("x",),
)
ODD = [
    "Ledger",
    "user data",
    'quo"ted',
    "apo's",
    "co:lon",
    ":colon",
    "co::lon",
    "back\\slash",
    "back\\:both",
    "per%cent",
    "%s %(a)s %%",
    "bra{ce}d {ledger}",
    "größe 漢字",
    "do.t",
    "select",
    "$$",
]


def rows(connection, sql):
    found = connection.exec_driver_sql(sql, execution_options={"no_parameters": True})
    return [tuple(row) for row in found]


def execute(connection, sql):
    connection.exec_driver_sql(sql, execution_options={"no_parameters": True}).close()


@pytest.fixture
def session(engine):
    with engine.connect() as found, found.begin():
        yield found


@pytest.fixture
def ledger(session):
    found = Ledger("public", "schema_migrations")
    found.create(session)
    return found


# The tables

COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       pg_get_expr(d.adbin, d.adrelid), a.attidentity::text
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = '{}'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""


def test_the_ledger_is_exactly_as_documented(session, ledger):
    assert rows(session, COLUMNS.format("public.schema_migrations")) == [
        ("version", "character varying(50)", True, None, ""),
        ("name", "character varying(255)", True, None, ""),
        ("applied_at", "timestamp with time zone", True, "now()", ""),
        ("checksum", "character varying(64)", True, None, ""),
        ("execution_time_ms", "integer", False, None, ""),
    ]


def test_the_ledgers_primary_key_is_the_version_and_it_has_no_other_constraint(session, ledger):
    found = rows(
        session,
        "SELECT contype::text, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid = 'public.schema_migrations'::regclass AND contype <> 'n'",
    )
    assert found == [("p", "PRIMARY KEY (version)")]


def test_the_log_is_exactly_as_documented(session, ledger):
    assert rows(session, COLUMNS.format("public.schema_migrations_log")) == [
        ("id", "bigint", True, None, "a"),
        ("run_id", "character varying(36)", True, None, ""),
        ("version", "character varying(50)", True, None, ""),
        ("name", "text", True, None, ""),
        ("direction", "character varying(4)", True, None, ""),
        ("outcome", "character varying(20)", True, None, ""),
        ("started_at", "timestamp with time zone", True, None, ""),
        ("duration_ms", "integer", False, None, ""),
        ("checksum", "character varying(64)", False, None, ""),
        ("down_checksum", "character varying(64)", False, None, ""),
        ("down_sql", "text", False, None, ""),
        ("down_revisions", "text", False, None, ""),
        ("depends_on", "text", False, None, ""),
        ("statement", "text", False, None, ""),
        ("statement_number", "integer", False, None, ""),
        ("statement_total", "integer", False, None, ""),
        ("found", "text", False, None, ""),
        ("error", "text", False, None, ""),
        ("tag", "text", False, None, ""),
        ("db_user", "text", True, "SESSION_USER", ""),
        ("client", "text", False, None, ""),
    ]


def test_creating_twice_changes_nothing(session, ledger):
    ledger.add(session, RUN, ENTRY)
    ledger.create(session)
    assert list(ledger.rows(session)) == ["20260112_001"]


def test_only_the_missing_table_is_created(session, ledger):
    execute(session, "DROP TABLE schema_migrations_log")
    ledger.create(session)
    assert ledger.has_log(session)


def test_a_role_without_create_can_use_tables_that_exist(engine, database_url):
    role = f"user_{database_url.database}"
    ledger = Ledger("public", "schema_migrations")
    with engine.begin() as owner:
        ledger.create(owner)
        execute(owner, f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
        execute(owner, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        tables = "schema_migrations, schema_migrations_log"
        execute(owner, f"GRANT SELECT, INSERT, DELETE ON {tables} TO {role}")
    other = create_engine(database_url.set(username=role, password="x"), poolclass=NullPool)
    with other.begin() as user:
        ledger.create(user)
        ledger.add(user, RUN, ENTRY)
        assert list(ledger.rows(user)) == ["20260112_001"]
        assert rows(user, "SELECT db_user FROM schema_migrations_log") == [(role,)]
    with engine.begin() as owner:
        execute(owner, f"DROP OWNED BY {role}")
        execute(owner, f"DROP ROLE {role}")


# Shape


def shape(session):
    return Ledger("public", "schema_migrations").shape(session)


def test_no_table_is_absent(session):
    assert shape(session) is Shape.ABSENT


def test_what_was_created_is_ours(session, ledger):
    assert shape(session) is Shape.OURS


OURS = "version {v}, name text NOT NULL, applied_at {t}, checksum text, execution_time_ms {n}"


@pytest.mark.parametrize(
    "columns",
    [
        OURS.format(v="varchar(50)", t="timestamptz", n="integer"),
        OURS.format(v="text", t="timestamp", n="bigint"),
        OURS.format(v="char(20)", t="timestamptz", n="smallint"),
        OURS.format(v="text", t="timestamptz", n="integer") + ", note text",
        OURS.format(v="text", t="timestamptz", n="integer") + ", by text NOT NULL DEFAULT USER",
        OURS.format(v="text", t="timestamptz", n="integer")
        + ", id int NOT NULL GENERATED ALWAYS AS IDENTITY",
        OURS.format(v="text", t="timestamptz", n="integer") + ", id serial PRIMARY KEY",
        "execution_time_ms int, checksum text, applied_at timestamptz, name text, version text",
    ],
)
def test_a_table_that_holds_our_rows_is_ours(session, columns):
    execute(session, f"CREATE TABLE schema_migrations ({columns})")
    assert shape(session) is Shape.OURS


def test_a_table_that_is_ours_takes_a_row(session):
    columns = OURS.format(v="text", t="timestamp", n="bigint")
    execute(session, f"CREATE TABLE schema_migrations ({columns}, note text)")
    ledger = Ledger("public", "schema_migrations")
    ledger.create(session)
    ledger.add(session, RUN, ENTRY)
    assert list(ledger.rows(session)) == ["20260112_001"]


@pytest.mark.parametrize(
    "columns",
    [
        "version varchar(255) PRIMARY KEY",
        "version bigint PRIMARY KEY, dirty boolean NOT NULL",
        OURS.format(v="bigint", t="timestamptz", n="integer"),
        OURS.format(v="text", t="date", n="integer"),
        OURS.format(v="text", t="timestamptz", n="interval"),
        OURS.format(v="text", t="timestamptz", n="integer") + ", by text NOT NULL",
        OURS.format(v="text", t="timestamptz", n="integer").replace("checksum text, ", ""),
    ],
)
def test_a_table_of_another_tool_is_foreign(session, columns):
    execute(session, f"CREATE TABLE schema_migrations ({columns})")
    assert shape(session) is Shape.FOREIGN


def test_a_dropped_column_does_not_count(session):
    execute(session, f"CREATE TABLE schema_migrations ({OURS.format(v='text', t='date', n='int')})")
    execute(session, "ALTER TABLE schema_migrations DROP COLUMN applied_at")
    assert shape(session) is Shape.FOREIGN


def test_a_table_without_columns_is_foreign(session):
    execute(session, "CREATE TABLE schema_migrations ()")
    assert shape(session) is Shape.FOREIGN


def test_a_table_of_the_name_in_another_schema_is_no_business_of_ours(session):
    execute(session, "CREATE SCHEMA app")
    execute(session, "CREATE TABLE app.schema_migrations (version bigint)")
    assert shape(session) is Shape.ABSENT


def test_without_a_log_the_ledger_is_adopted(session, ledger):
    execute(session, "DROP TABLE schema_migrations_log")
    assert not ledger.has_log(session)


# Rows


def test_adding_writes_ledger_and_log(session, ledger):
    ledger.add(session, RUN, ENTRY)
    (row,) = ledger.rows(session).values()
    assert (row.version, row.name, row.checksum) == ("20260112_001", "create_orders", "a" * 64)
    assert row.execution_time_ms == 1500
    columns = (
        "run_id, version, name, direction, outcome, duration_ms, checksum, down_checksum, "
        "down_sql, down_revisions, depends_on, statement, error, tag, client"
    )
    (logged,) = rows(session, f"SELECT {columns} FROM schema_migrations_log")
    assert logged == (
        RUN.run_id,
        "20260112_001",
        "create_orders",
        "up",
        "applied",
        1500,
        "a" * 64,
        "b" * 64,
        "DROP TABLE orders;",
        json.dumps(["20260101_001", "3f2a91"]),
        json.dumps(["x"]),
        None,
        None,
        "v1.2",
        "host:42",
    )


def test_the_time_of_application_is_the_clocks_and_not_the_transactions(session, ledger):
    execute(session, "SELECT pg_sleep(0.05)")
    ledger.add(session, RUN, ENTRY)
    (row,) = ledger.rows(session).values()
    ((begun,),) = rows(session, "SELECT now()")
    assert row.applied_at >= begun + timedelta(seconds=0.05)


def test_a_step_began_its_duration_before_it_was_logged(session, ledger):
    ledger.add(session, RUN, ENTRY)
    found = rows(
        session,
        "SELECT applied_at - started_at FROM schema_migrations_log JOIN schema_migrations "
        "USING (version)",
    )
    assert abs(found[0][0] - timedelta(seconds=1.5)) < timedelta(seconds=0.01)


def test_removing_takes_the_row_and_logs_it(session, ledger):
    ledger.add(session, RUN, ENTRY)
    ledger.remove(session, RUN, LogEntry(ENTRY.version, "down", "rolled_back"))
    assert ledger.rows(session) == {}
    assert rows(session, "SELECT outcome FROM schema_migrations_log ORDER BY id") == [
        ("applied",),
        ("rolled_back",),
    ]


def test_removing_leaves_other_rows(session, ledger):
    ledger.add(session, RUN, ENTRY)
    ledger.add(session, RUN, LogEntry("2", "up", "applied"))
    ledger.remove(session, RUN, LogEntry("2", "down", "rolled_back"))
    assert list(ledger.rows(session)) == [ENTRY.version]


def test_removing_what_is_not_there_is_logged_all_the_same(session, ledger):
    ledger.remove(session, RUN, LogEntry("9", "none", "forgotten"))
    assert rows(session, "SELECT version FROM schema_migrations_log") == [("9",)]


def test_noting_writes_the_log_only(session, ledger):
    entry = LogEntry("1", "up", "failed", statement="a.sql:1:1: SELECT 1/0", error="22012 é")
    ledger.note(session, RUN, entry)
    assert ledger.rows(session) == {}
    assert rows(session, "SELECT statement, error FROM schema_migrations_log") == [
        ("a.sql:1:1: SELECT 1/0", "22012 é")
    ]


def test_the_rows_come_in_the_order_of_application(session, ledger):
    for version in ("2", "1", "3"):
        ledger.add(session, RUN, LogEntry(version, "up", "applied"))
    assert list(ledger.rows(session)) == ["2", "1", "3"]


def test_a_name_longer_than_the_ledgers_column_is_cut_there_and_whole_in_the_log(session, ledger):
    ledger.add(session, RUN, LogEntry("1", "up", "applied", name="ö" * 300))
    assert ledger.rows(session)["1"].name == "ö" * 255
    assert rows(session, "SELECT name FROM schema_migrations_log") == [("ö" * 300,)]


def test_the_log_remembers_what_a_revision_stood_on(session, ledger):
    ledger.add(session, RUN, ENTRY)
    ledger.add(session, RUN, LogEntry("b", "up", "applied", name="base"))
    assert ledger.ghosts(session) == {
        ENTRY.version: Ghost("create_orders", ("20260101_001", "3f2a91"), ("x",)),
        "b": Ghost("base", (), ()),
    }


def test_the_latest_log_row_counts(session, ledger):
    ledger.add(session, RUN, ENTRY)
    ledger.remove(session, RUN, ENTRY)
    ledger.add(session, RUN, LogEntry(ENTRY.version, "up", "applied", down_revisions=("new",)))
    assert ledger.ghosts(session)[ENTRY.version].down_revisions == ("new",)


def test_what_is_not_applied_is_not_remembered(session, ledger):
    ledger.add(session, RUN, ENTRY)
    ledger.remove(session, RUN, ENTRY)
    assert ledger.ghosts(session) == {}


def test_the_last_attempt_counts_as_failed(session, ledger):
    ledger.note(session, RUN, LogEntry("1", "up", "failed", error="first"))
    ledger.note(session, RUN, LogEntry("1", "down", "failed", error="second", statement="s"))
    found = ledger.failures(session)["1"]
    assert (found.direction, found.error, found.statement) == ("down", "second", "s")
    assert abs(found.at - server_now(session)) < timedelta(seconds=60)


def test_a_failure_is_over_when_the_revision_was_applied(session, ledger):
    ledger.note(session, RUN, LogEntry("1", "up", "failed", error="first"))
    ledger.add(session, RUN, LogEntry("1", "up", "applied"))
    ledger.note(session, RUN, LogEntry("2", "up", "failed"))
    assert list(ledger.failures(session)) == ["2"]


def test_what_a_run_has_logged_is_told_in_order(session, ledger):
    other = Run("other")
    for run, version, outcome in (
        (RUN, "2", "applied"),
        (other, "9", "applied"),
        (RUN, "3", "failed"),
        (RUN, "1", "applied"),
    ):
        ledger.note(session, run, LogEntry(version, "up", outcome))
    assert ledger.logged(session, RUN.run_id, "applied") == ("2", "1")


def test_the_servers_clock_has_a_time_zone(session):
    assert abs(server_now(session) - datetime.now(timezone.utc)) < timedelta(minutes=5)


# Odd names and values


def use(connection, ledger):
    """Every statement of the ledger once."""
    ledger.create(connection)
    assert ledger.shape(connection) is Shape.OURS
    ledger.add(connection, RUN, ENTRY)
    ledger.note(connection, RUN, LogEntry("9", "up", "failed"))
    assert list(ledger.rows(connection)) == [ENTRY.version]
    assert list(ledger.ghosts(connection)) == [ENTRY.version]
    assert list(ledger.failures(connection)) == ["9"]
    assert ledger.logged(connection, RUN.run_id, "applied") == (ENTRY.version,)
    ledger.remove(connection, RUN, ENTRY)
    assert ledger.rows(connection) == {}


def places(connection):
    return rows(
        connection,
        "SELECT nspname, relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
        "WHERE relkind = 'r' AND nspname !~ '^pg_' AND nspname <> 'information_schema' "
        "ORDER BY length(relname)",
    )


@pytest.mark.parametrize("name", ODD)
def test_a_table_can_have_any_name(session, name):
    use(session, Ledger("public", name))
    assert places(session) == [("public", name), ("public", f"{name}_log")]


@pytest.mark.parametrize("name", ODD)
def test_a_schema_that_is_not_on_search_path_can_have_any_name(session, name):
    execute(session, f"CREATE SCHEMA {quote_always(name)}")
    use(session, Ledger(name, "schema_migrations"))
    expected = [(name, "schema_migrations"), (name, "schema_migrations_log")]
    assert places(session) == expected


def test_the_tables_are_found_with_an_empty_search_path(session):
    execute(session, "SET search_path = ''")
    use(session, Ledger("public", "schema_migrations"))


@pytest.mark.parametrize("text", ODD)
def test_a_value_arrives_as_it_stands(session, ledger, text):
    entry = LogEntry(
        text, "up", "applied", text, 5, text, text, text, (text, "b"), (text,), text, text
    )
    ledger.add(session, Run("r", text, text), entry)
    (row,) = ledger.rows(session).values()
    assert (row.version, row.name, row.checksum) == (text, text, text)
    assert ledger.ghosts(session) == {text: Ghost(text, (text, "b"), (text,))}
    columns = "down_checksum, down_sql, statement, error, tag, client"
    assert rows(session, f"SELECT {columns} FROM schema_migrations_log") == [(text,) * 6]


# Offline

SAME = (
    "SELECT version, l.name, l.checksum, execution_time_ms, run_id, g.name, direction, outcome, "
    "duration_ms, g.checksum, down_checksum, down_sql, down_revisions, depends_on, statement, "
    "error, tag, client FROM {schema}.{table}_log g FULL JOIN {schema}.{table} l USING (version) "
    "ORDER BY id"
)
TEXT = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=20)


@given(
    version=TEXT,
    name=TEXT,
    duration=st.none() | st.integers(0, 2**31 - 1),
    text=st.none() | TEXT,
    below=st.lists(TEXT, max_size=3),
    conforming=st.sampled_from(["on", "off"]),
)
@settings(
    database=None,
    derandomize=True,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_the_offline_sql_makes_the_same_rows(
    session, ledger, version, name, duration, text, below, conforming
):
    entry = LogEntry(
        version, "up", "applied", name, duration, "c", text, text, tuple(below), (), text, text
    )
    run = Run("r", text, text)

    def written(write) -> list[tuple]:
        with session.begin_nested() as savepoint:
            write()
            found = rows(session, SAME.format(schema="public", table="schema_migrations"))
            savepoint.rollback()
        return found

    def offline() -> None:
        execute(session, f"SET LOCAL standard_conforming_strings = {conforming}")
        execute(session, ledger.add_sql(run, entry))

    assert written(offline) == written(lambda: ledger.add(session, run, entry))


@pytest.mark.parametrize("name", ODD)
def test_the_offline_sql_takes_any_name(session, name):
    execute(session, f"CREATE SCHEMA {quote_always(name)}")
    ledger = Ledger(name, name)
    for ddl in ledger.create_sql():
        execute(session, ddl)
    execute(session, ledger.add_sql(RUN, ENTRY))
    assert list(ledger.rows(session)) == [ENTRY.version]
    execute(session, ledger.remove_sql(RUN, ENTRY))
    assert ledger.rows(session) == {}
    assert ledger.logged(session, RUN.run_id, "applied") == (ENTRY.version,) * 2


def test_the_offline_ddl_makes_the_same_tables_and_can_be_run_twice(session):
    online, offline = Ledger("public", "one"), Ledger("public", "two")
    online.create(session)
    for ddl in offline.create_sql() * 2:
        execute(session, ddl)
    for ending in ("", "_log"):
        one, two = (rows(session, COLUMNS.format(name + ending)) for name in ("one", "two"))
        assert one == two


def test_offline_without_a_schema_search_path_decides(session):
    execute(session, "CREATE SCHEMA app")
    execute(session, "SET search_path = app")
    for ddl in Ledger("", "schema_migrations").create_sql():
        execute(session, ddl)
    assert [schema for schema, _ in places(session)] == ["app", "app"]


# Names


def test_the_default_version_table_has_the_ledger_of_the_setting():
    assert ledger_name("schema_migrations", "alembic_version") == "schema_migrations"


def test_another_version_table_has_its_own_ledger():
    assert ledger_name("schema_migrations", "billing") == "schema_migrations_billing"


@pytest.mark.parametrize("version_table", ["x" * 63, "x" * 42, "x" * 41, "billing" * 8])
def test_ledger_and_log_of_a_long_version_table_fit_into_a_name(version_table):
    name = ledger_name("schema_migrations", version_table)
    assert len(f"{name}_log".encode()) <= 63
    assert name.startswith("schema_migrations_")


def test_ledger_and_log_of_a_long_version_table_that_is_not_ascii_fit_into_a_name():
    name = ledger_name("schema_migrations", "漢" * 21)
    assert len(f"{name}_log".encode()) <= 63


def test_two_long_version_tables_have_two_ledgers():
    one, two = (ledger_name("schema_migrations", "x" * 50 + end) for end in "ab")
    assert one != two


def test_the_lock_key_is_a_signed_64_bit_number_of_schema_and_table(session):
    keys = {Ledger(schema, table).lock_key for schema in ("a", "b") for table in ("a", "b", "a\0b")}
    assert len(keys) == 6
    for key in keys:
        execute(session, f"SELECT pg_advisory_xact_lock({key})")


def test_the_lock_key_never_changes_between_releases():
    assert Ledger("public", "schema_migrations").lock_key == -8428365145076864004


def schema_of(session, **names):
    given = {"version_table": "alembic_version", "ledger_table": "schema_migrations", **names}
    return find_schema(session, given.get("schema"), given["version_table"], given["ledger_table"])


@pytest.fixture
def schemas(session):
    for name in ('"Ap:p"', "other"):
        execute(session, f"CREATE SCHEMA {name}")
    execute(session, 'SET search_path = public, "Ap:p", other')
    return session


def test_a_schema_that_is_given_is_taken(schemas):
    assert schema_of(schemas, schema="anything") == "anything"


def test_without_any_table_the_schema_is_where_one_would_be_created(schemas):
    assert schema_of(schemas) == "public"


def test_the_ledger_lies_where_the_version_table_lies(schemas):
    execute(schemas, 'CREATE TABLE "Ap:p".alembic_version (version_num text)')
    execute(schemas, "CREATE TABLE public.schema_migrations (version text)")
    assert schema_of(schemas) == "Ap:p"


def test_a_ledger_without_a_version_table_is_found(schemas):
    execute(schemas, "CREATE TABLE other.schema_migrations (version text)")
    assert schema_of(schemas) == "other"


@pytest.mark.parametrize("name", ODD)
def test_a_version_table_of_any_name_is_found(schemas, name):
    execute(schemas, f"CREATE TABLE other.{quote_always(name)} ()")
    assert schema_of(schemas, version_table=name) == "other"


def test_without_a_schema_to_create_in_it_is_public(schemas):
    execute(schemas, f"SET search_path = {quote_literal('')}")
    assert schema_of(schemas) == "public"
