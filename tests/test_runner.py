"""Scripts run as they stand, errors say where, and the session is left as it was found."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from alembic_rollback.errors import StatementError
from alembic_rollback.runner import run_script
from alembic_rollback.sql.script import read_script

FILE = Path("/x/a.up.sql")


def run(connection, text, **options):
    return run_script(connection, read_script(text, FILE), **options)


def value(connection, sql):
    options = {"no_parameters": True}
    return connection.exec_driver_sql(sql, execution_options=options).scalar_one()


@pytest.fixture
def session(engine):
    """A SQLAlchemy connection with a transaction begun."""
    with engine.connect() as found, found.begin():
        yield found


@pytest.fixture
def autocommit(engine):
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as found:
        yield found


def failing(connection, text) -> StatementError:
    with pytest.raises(StatementError) as caught:
        run(connection, text)
    return caught.value


# Unchanged


TEXTS = {
    "percent": "100% %s %(a)s %% %d",
    "colon": ":name ::text :1 a:b \\:c",
    "question mark": "? ?? $1 {x} {} @>",
    "dollar": "$$ $a$",
    "backslash": "\\ \\n \\' \\\\ \\x41",
    "quote": "\" ' `",
    "not ascii": "größe 漢字 🐘 \u00a0 \u2028 e\u0301",
    "windows lines": "a\r\nb\r\n\r\nc",
    "old mac lines": "a\rb",
    "tabs and ends": "\ta \n b\t",
    "looks like sql": "; DROP TABLE x; -- /* \\i x",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_literal_arrives_as_it_stands(session, text):
    quoted = text.replace("'", "''")
    run(session, f"CREATE TABLE t (a text);\nINSERT INTO t VALUES ('{quoted}');\n")
    assert value(session, "SELECT convert_to(a, 'UTF8') FROM t").tobytes() == text.encode()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_function_body_arrives_as_it_stands(session, text):
    body = f"\r\nBEGIN\r\n  RETURN $q${text}$q$;\r\nEND "
    run(session, f"CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $body${body}$body$;")
    stored = value(session, "SELECT convert_to(prosrc, 'UTF8') FROM pg_proc WHERE proname = 'f'")
    assert stored.tobytes() == body.encode()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_name_and_a_comment_arrive_as_they_stand(session, text):
    name, comment = text.replace('"', '""'), text.replace("'", "''")
    run(session, f'CREATE TABLE "{name}" ();COMMENT ON TABLE "{name}" IS \'{comment}\'')
    row = session.exec_driver_sql(
        "SELECT relname, obj_description(oid, 'pg_class') FROM pg_class "
        "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    ).one()
    assert tuple(row) == (text, text)


def test_operators_with_percent_colon_and_question_mark_arrive_as_they_stand(session):
    run(
        session,
        "CREATE TABLE t AS SELECT 7 % 4 AS a, '5'::int::text AS b, '{\"x\":1}'::jsonb ? 'x' AS c, "
        "(ARRAY[1,2,3])[1:2] AS d, E'a\\nb' AS e, U&'\\0041' AS f;",
    )
    row = session.exec_driver_sql("SELECT * FROM t").one()
    assert tuple(row) == (3, "5", True, [1, 2], "a\nb", "A")


def test_each_statement_is_shown_before_it_runs(session):
    seen = []

    def progress(number, statement):
        seen.append((number, statement.text, value(session, "SELECT to_regclass('t')::text")))

    run(session, "CREATE TABLE t ();\nDROP TABLE t;", progress=progress)
    assert seen == [(1, "CREATE TABLE t ()", None), (2, "DROP TABLE t", "t")]


def test_an_empty_script_runs(session):
    assert run(session, "-- nothing\n") >= 0


def test_a_script_does_not_commit(engine):
    with engine.connect() as one:
        run(one, "CREATE TABLE t ();")
        one.rollback()
    with engine.connect() as other:
        assert value(other, "SELECT to_regclass('t')") is None


def test_the_time_is_returned_in_milliseconds(session):
    started = time.perf_counter()
    elapsed = run(session, "SELECT pg_sleep(0.2); SELECT pg_sleep(0.1);")
    assert 300 <= elapsed <= (time.perf_counter() - started) * 1000 + 1


# Errors


def test_an_error_with_the_servers_position_points_at_the_word(session):
    error = failing(session, "SELECT 1;\n\nSELECT 1,\n       missing;\n")
    assert str(error) == '/x/a.up.sql:4:8: column "missing" does not exist'


def test_multi_byte_text_before_an_error_does_not_move_it(session):
    error = failing(session, "-- größe 🐘\nSELECT '漢字 🐘', 'é', missing;\n")
    assert str(error.where) == "/x/a.up.sql:2:21"


def test_windows_lines_before_an_error_do_not_move_it(session):
    error = failing(session, "SELECT 1;\r\nSELECT\r\n  'é\r\nb', missing;\r\n")
    assert str(error.where) == "/x/a.up.sql:4:5"


def test_an_error_without_a_position_points_at_its_statement(session):
    error = failing(session, "SELECT 1;\n  -- é\n  DROP TABLE missing;\n")
    assert str(error) == '/x/a.up.sql:3:3: table "missing" does not exist'


def test_an_error_within_a_do_block_points_at_its_statement(session):
    error = failing(session, "SELECT 1;\n DO $$ BEGIN\n PERFORM missing; END $$;")
    assert str(error.where) == "/x/a.up.sql:2:2"


def test_an_error_knows_which_statement_of_how_many_failed(session):
    error = failing(session, "SELECT 1; DROP TABLE x; SELECT 3;")
    assert (error.ordinal, error.total, error.statement) == (2, 3, "DROP TABLE x")


def test_nothing_runs_after_an_error(autocommit):
    failing(autocommit, "CREATE TABLE a (); DROP TABLE x; CREATE TABLE b ();")
    assert value(autocommit, "SELECT to_regclass('a')::text") == "a"
    assert value(autocommit, "SELECT to_regclass('b')") is None


def test_sqlstate_detail_and_hint_of_the_server_are_kept(session):
    error = failing(
        session,
        "DO $$ BEGIN RAISE EXCEPTION 'no %', 'way' USING ERRCODE = 'AB123', DETAIL = 'the détail', "
        "HINT = 'the hint'; END $$",
    )
    found = (error.what, error.sqlstate, error.detail, error.hint)
    assert found == ("no way", "AB123", "the détail", "the hint")


def test_an_ordinary_error_has_its_sqlstate(session):
    run(session, "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1);")
    error = failing(session, "INSERT INTO t VALUES (1);")
    assert (error.sqlstate, error.detail) == ("23505", "Key (a)=(1) already exists.")


def test_the_drivers_error_is_the_cause(session):
    error = failing(session, "SELECT missing")
    assert type(error.__cause__.orig).__name__ == "UndefinedColumn"


def test_an_enum_value_used_in_the_transaction_that_adds_it_is_explained(engine):
    with engine.begin() as one:
        run(one, "CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE t (m mood);")
    with engine.connect() as two:
        error = failing(two, "ALTER TYPE mood ADD VALUE 'new';\nINSERT INTO t VALUES ('new');")
    assert (error.sqlstate, error.ordinal) == ("55P04", 2)
    assert "put ADD VALUE into a revision of its own" in error.hint
    assert "-- Transaction: none" in error.hint


def test_the_remedy_for_an_enum_value_helps(autocommit):
    run(autocommit, "CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE t (m mood);")
    run(autocommit, "ALTER TYPE mood ADD VALUE 'new'; INSERT INTO t VALUES ('new');")
    assert value(autocommit, "SELECT m::text FROM t") == "new"


def test_an_error_of_the_connection_is_a_statement_error(database_url, autocommit):
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.connect() as doomed:
        pid = value(doomed, "SELECT pg_backend_pid()")
        autocommit.exec_driver_sql(f"SELECT pg_terminate_backend({pid}, 5000)")
        error = failing(doomed, "SELECT 1;")
        doomed.invalidate()
    assert error.sqlstate in ("57P01", None)
    assert "terminat" in error.what or "closed" in error.what


# Settings


SHOWN = (
    "SELECT concat_ws('|', current_setting('work_mem'), current_setting('search_path'), "
    "current_setting('statement_timeout'), current_setting('role'), session_user, current_user, "
    "current_setting('check_function_bodies'), current_setting('datestyle'), "
    "coalesce(current_setting('app.x', true), ''))"
)

CHANGES = {
    "SET": "SET work_mem = '7MB'",
    "SET SESSION": "SET SESSION work_mem = '7MB'",
    "SET LOCAL": "SET LOCAL work_mem = '7MB'",
    "SET TO DEFAULT": "SET work_mem TO DEFAULT",
    "RESET": "RESET work_mem",
    "RESET ALL": "RESET ALL",
    "set_config": "SELECT set_config('work_mem', '7MB', false)",
    "set_config local": "SELECT set_config('work_mem', '7MB', true)",
    "set_config in a CTE": "WITH a AS (SELECT set_config('work_mem', '7MB', false)) TABLE a",
    "pg_dump": "SELECT pg_catalog.set_config('search_path', '', false)",
    "search_path": 'SET search_path = pg_catalog, "Odd, one"',
    "several": "SET statement_timeout = 0; SET check_function_bodies = false; SET datestyle = SQL",
    "within DO": "DO $$ BEGIN PERFORM set_config('work_mem', '7MB', false); END $$",
    "SET within DO": "DO $$ BEGIN SET work_mem = '7MB'; SET LOCAL search_path = pg_catalog; END $$",
    "SET ROLE": "SET ROLE {bob}",
    "SET LOCAL ROLE": "SET LOCAL ROLE {bob}",
    "SET SESSION AUTHORIZATION": "SET SESSION AUTHORIZATION {bob}",
    "SET LOCAL SESSION AUTHORIZATION": "SET LOCAL SESSION AUTHORIZATION {bob}",
    "role, then others": "SET work_mem = '7MB'; SET search_path = ''; SET ROLE {bob}",
    "role through set_config": "SELECT set_config('role', '{bob}', false)",
}


@pytest.mark.parametrize(
    "change",
    [pytest.param(text, id=name) for name, text in CHANGES.items()],
)
def test_what_a_script_sets_is_put_back(engine, change):
    with engine.connect() as connection:
        connection.exec_driver_sql("SET work_mem = '6MB'")
        connection.exec_driver_sql("SET search_path = pg_temp, public")
        connection.exec_driver_sql("SET statement_timeout = '50s'")
        connection.commit()
        bob = "bob_" + value(connection, "SELECT current_database()")
        connection.exec_driver_sql(f"CREATE ROLE {bob}")
        connection.exec_driver_sql(f"GRANT {bob} TO CURRENT_USER")
        before = value(connection, SHOWN)
        run(connection, change.format(bob=bob))
        assert value(connection, SHOWN) == before
        connection.exec_driver_sql(f"DROP ROLE {bob}")
        connection.commit()
        assert value(connection, SHOWN) == before


def test_a_do_block_can_be_the_first_plpgsql_of_a_session(session):
    run(session, "DO $$ BEGIN CREATE TABLE t (); END $$;")
    assert value(session, "SELECT to_regclass('t')::text") == "t"


def test_a_do_block_after_plpgsql_was_loaded_has_its_settings_put_back(session):
    session.exec_driver_sql("DO $$ BEGIN END $$")
    before = value(session, SHOWN)
    run(session, "DO $$ BEGIN SET work_mem = '7MB'; SET LOCAL search_path = pg_catalog; END $$")
    assert value(session, SHOWN) == before


def test_a_change_is_in_force_until_the_script_ends(session):
    run(
        session,
        "SET search_path = pg_catalog; CREATE TABLE public.t AS SELECT current_schemas(false) AS a",
    )
    assert value(session, "SELECT a::text FROM public.t") == "{pg_catalog}"


CUSTOM = {
    "SET": "SET app.x = 'changed'",
    "SET LOCAL": "SET LOCAL app.x = 'changed'",
    "set_config": "SELECT set_config('app.x', 'changed', false)",
    "RESET": "RESET app.x",
}


CUSTOM_BUG = "runner.py:24 _SETTINGS: pg_settings does not show settings without a module (app.x)"


@pytest.mark.parametrize("change", CUSTOM.values(), ids=CUSTOM)
def test_a_setting_of_the_application_is_put_back(session, change):
    session.exec_driver_sql("SET app.x = 'before'")
    run(session, change)
    assert value(session, "SELECT current_setting('app.x')") == "before"


@pytest.mark.parametrize("change", [one for name, one in CUSTOM.items() if name != "RESET"])
def test_a_setting_of_the_application_that_was_not_there_is_empty_again(session, change):
    run(session, change)
    assert value(session, "SELECT current_setting('app.x', true)") in (None, "")


def test_held_settings_are_put_back_for_session_and_transaction(engine):
    with engine.connect() as connection:
        connection.exec_driver_sql("SET lock_timeout = '20s'")
        connection.commit()
        connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
        run(connection, "SET lock_timeout = '1s';", held={"lock_timeout": ("20s", "5s")})
        assert value(connection, "SHOW lock_timeout") == "5s"
        connection.commit()
        assert value(connection, "SHOW lock_timeout") == "20s"


def test_held_settings_that_a_script_leaves_alone_stay(engine):
    with engine.connect() as connection:
        connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
        run(connection, "SET work_mem = '7MB';", held={"lock_timeout": ("0", "5s")})
        assert value(connection, "SHOW lock_timeout") == "5s"
        connection.commit()
        assert value(connection, "SHOW lock_timeout") == "0"


def test_a_script_that_sets_nothing_asks_for_no_settings(engine):
    statements = []
    with engine.connect() as connection:
        from sqlalchemy import event

        event.listen(connection, "before_cursor_execute", lambda *a: statements.append(a[2]))
        run(connection, "CREATE TABLE t (); DROP TABLE t;")
    assert statements == ["CREATE TABLE t ()", "DROP TABLE t"]


def test_the_session_of_a_role_without_rights_is_put_back(engine, bob_url):
    with create_engine(bob_url, poolclass=NullPool).connect() as connection:
        before = value(connection, SHOWN)
        run(connection, "SET work_mem = '7MB'; SET search_path = ''; RESET ALL; SET ROLE NONE;")
        assert value(connection, SHOWN) == before


@pytest.fixture
def bob_url(engine, database_url):
    """The database's URL for a role that is no superuser."""
    name = f"login_{database_url.database}"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
    yield database_url.set(username=name, password="x")
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP OWNED BY {name}")
        connection.exec_driver_sql(f"DROP ROLE {name}")


def test_what_a_script_outside_a_transaction_sets_is_put_back(autocommit):
    before = value(autocommit, SHOWN)
    run(autocommit, "SET work_mem = '7MB'; SET search_path = '';")
    assert value(autocommit, SHOWN) == before


def test_what_a_script_outside_a_transaction_sets_is_put_back_when_it_fails(autocommit):
    before = value(autocommit, SHOWN)
    failing(autocommit, "SET work_mem = '7MB'; SET search_path = ''; SELECT 1 / 0;")
    assert value(autocommit, SHOWN) == before
