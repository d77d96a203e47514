"""The simulation of the catalog: whatever a script says, it is followed without an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_rollback.catalog.counting import Budget
from alembic_rollback.checks.impact import assess
from alembic_rollback.checks.simulation import World, follow
from alembic_rollback.errors import ScriptSyntaxError
from alembic_rollback.inverse.generate import invert, render
from alembic_rollback.model import Plan, Revision
from alembic_rollback.sql.script import read_script
from tests.test_inverse import FILES, name, read_case

HERE = Path("/x/1.down.sql")


@pytest.fixture(scope="module")
def shared(server_url):
    """A connection to one database for the whole module; each test takes back what it did."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    admin = create_engine(server_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE simulation TEMPLATE template0")
    engine = create_engine(server_url.set(database="simulation"), poolclass=NullPool)
    with engine.connect() as connection:
        yield connection
    with admin.connect() as connection:
        connection.exec_driver_sql("DROP DATABASE simulation WITH (FORCE)")


@pytest.fixture
def session(shared):
    with shared.begin() as transaction:
        yield shared
        transaction.rollback()


def execute(connection, text):
    for statement in read_script(text, HERE).statements:
        connection.exec_driver_sql(
            statement.text, execution_options={"no_parameters": True}
        ).close()


def try_to(connection, text):
    """Run what can be run."""
    from sqlalchemy.exc import DBAPIError

    for statement in read_script(text, HERE).statements:
        savepoint = connection.begin_nested()
        try:
            connection.exec_driver_sql(
                statement.text, execution_options={"no_parameters": True}
            ).close()
        except DBAPIError:
            savepoint.rollback()
        else:
            savepoint.commit()


def halves(path):
    """A case's up, and the down that is generated for it."""
    up = read_script(read_case(path).up, HERE)
    return up, read_script(render(invert(up), []), HERE)


def followed(connection, *scripts):
    world = World(connection)
    for script in scripts:
        with world.names.script(script):
            for statement in script.statements:
                yield from follow(world, statement).failures


def obstacles(connection, text):
    script = read_script(text, HERE)
    plan = Plan((Revision("1", "", str(HERE)),))
    (step,) = assess(connection, plan, {"1": script}, Budget()).steps
    return [one.problem for one in step.obstacles]


def objects(connection, text):
    script = read_script(text, HERE)
    plan = Plan((Revision("1", "", str(HERE)),))
    (step,) = assess(connection, plan, {"1": script}, Budget()).steps
    return [(one.action, f"{one.kind} {one.name}", one.how) for one in step.objects]


@pytest.mark.parametrize("path", FILES, ids=name)
def test_every_statement_is_followed_where_nothing_is_there(path, session):
    up, down = halves(path)
    list(followed(session, up, down))
    list(followed(session, down, up))


def is_made_in_a_transaction(path):
    case = read_case(path)
    return not case.not_run and read_script(case.setup, HERE).transactional


@pytest.mark.parametrize("path", FILES, ids=name)
def test_every_statement_is_followed_where_what_it_names_is_there(path, session):
    up, down = halves(path)
    if is_made_in_a_transaction(path):
        execute(session, read_case(path).setup)
    list(followed(session, up, down))
    if up.transactional:
        try_to(session, read_case(path).up)
    list(followed(session, down, up))


@pytest.mark.parametrize(
    "path",
    [p for p in FILES if not read_case(p).irreversible and is_made_in_a_transaction(p)],
    ids=name,
)
def test_what_runs_is_not_said_to_fail(path, session):
    up, down = halves(path)
    execute(session, read_case(path).setup)
    found = [one.problem for one in followed(session, up, down)]
    assert found == []


TABLE = "CREATE SCHEMA app; CREATE TABLE app.t (a int); CREATE TABLE app.g (a int);"


@pytest.mark.parametrize(
    ("setup", "down"),
    [
        (TABLE, "ALTER SCHEMA app RENAME TO app2; DROP TABLE app2.g CASCADE;"),
        (TABLE, "ALTER SCHEMA app RENAME TO a2; ALTER SCHEMA a2 RENAME TO a3; DROP TABLE a3.t;"),
        (TABLE, "ALTER SCHEMA app RENAME TO a2; CREATE SCHEMA app; CREATE TABLE app.t (a int);"),
        (TABLE, "CREATE TABLE app.n (a int); ALTER SCHEMA app RENAME TO b; DROP TABLE b.n;"),
        (TABLE, "ALTER SCHEMA app RENAME TO b; SET search_path = b; DROP TABLE t;"),
        ("", "CREATE SCHEMA n; SET search_path = n; CREATE TABLE t (a int); DROP TABLE n.t;"),
        ("", "CREATE TABLE t (id serial PRIMARY KEY, a int UNIQUE REFERENCES t);"
             "ALTER TABLE t DROP CONSTRAINT t_a_fkey; ALTER TABLE t DROP CONSTRAINT t_pkey;"
             "ALTER TABLE t DROP CONSTRAINT t_a_key; DROP SEQUENCE t_id_seq CASCADE;"),
        ("", "CREATE TYPE p AS (a int); ALTER TYPE p RENAME ATTRIBUTE a TO b; DROP TYPE p;"),
        (TABLE, "ALTER TABLE app.t RENAME TO u; CREATE TYPE app.t AS ENUM ('a');"),
        (TABLE, "DO $$ BEGIN END $$; CREATE TABLE nowhere.t (a int);"),
    ],
)  # fmt: skip
def test_what_an_earlier_statement_makes_possible_is_not_said_to_fail(session, setup, down):
    execute(session, setup)
    assert obstacles(session, down) == []
    if not down.startswith("DO"):
        execute(session, down)


@pytest.mark.parametrize(
    ("setup", "down", "problem"),
    [
        (TABLE, "ALTER SCHEMA app RENAME TO b; DROP TABLE app.g;", "there is no table app.g"),
        (TABLE, "ALTER SCHEMA gone RENAME TO b;", "there is no schema gone"),
        ("", 'CREATE TABLE "App".t (a int);', 'there is no schema "App"'),
        (TABLE, "DROP SCHEMA app CASCADE; CREATE VIEW app.v AS SELECT 1;",
         "there is no schema app"),
        (TABLE, "ALTER TABLE app.t SET SCHEMA nowhere;", "there is no schema nowhere"),
        (TABLE, "ALTER TABLE app.t DETACH PARTITION app.g;", "app.t is not partitioned"),
        (TABLE, "ALTER TABLE app.t NO INHERIT app.g;", "app.t is not a child of app.g"),
        (TABLE, "CREATE INDEX ON app.t (b);", "there is no column t.b"),
        ("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY);",
         "ALTER TABLE t ALTER id DROP DEFAULT;", "column id of table t is an identity column"),
        ("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (a int);",
         "ALTER TABLE u ADD FOREIGN KEY (a) REFERENCES t (id); DROP TABLE t;",
         "it is still needed by something that an earlier statement makes"),
        ("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (a int REFERENCES t);",
         "ALTER TABLE u ALTER a TYPE text;",
         "constraint u_a_fkey on table u cannot be of that type"),
    ],
)  # fmt: skip
def test_what_will_fail_is_said(session, setup, down, problem):
    from sqlalchemy.exc import DBAPIError

    execute(session, setup)
    (found,) = obstacles(session, down)
    assert found.endswith(f"will fail: {problem}")
    with pytest.raises(DBAPIError):
        execute(session, down)


def test_a_default_that_cascade_takes_is_told(session):
    execute(
        session,
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
        "CREATE TABLE t (a int DEFAULT f(), b int GENERATED ALWAYS AS (a * 2) STORED);",
    )
    default = ("dropped", "default value for public.t.a", "CASCADE")
    assert default in objects(session, "DROP FUNCTION f() CASCADE;")
    for down in ("DROP FUNCTION f() CASCADE; DROP TABLE t;", "DROP TABLE t;"):
        kinds = [kind for _, kind, _ in objects(session, down)]
        assert ("default value for public.t.a" in kinds) == down.startswith("DROP FUNCTION")
    gone = objects(session, "ALTER TABLE t DROP COLUMN a CASCADE;")
    assert not [one for one in gone if "default" in one[1]]


def test_an_expression_that_is_nested_too_deeply_is_refused():
    with pytest.raises(ScriptSyntaxError, match="nested too deeply to be checked") as caught:
        read_script("SELECT " + " || ".join(["'a'"] * 100) + ";", HERE)
    assert caught.value.next_step == "Split it, or build it up in parts."
