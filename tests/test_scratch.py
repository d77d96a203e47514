"""Scratch databases on real servers: made, cloned, guarded, and always removed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from alembic_rollback.errors import DatabaseError, NotPostgreSQL, RollbackError
from alembic_rollback.scratch import (
    MissingExtension,
    MissingRole,
    NotOnScratch,
    ScratchServer,
    SharedServer,
    scratch_server,
)
from alembic_rollback.scratch.leftovers import PREFIX, claim, new_name
from alembic_rollback.scratch.statements import cluster_wide, named_roles, reaching_out
from alembic_rollback.sql.parser import parse
from alembic_rollback.sql.script import Script, read_script

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the embedded server needs Unix")


@pytest.fixture(scope="module")
def own() -> Iterator[ScratchServer]:
    with scratch_server() as server:
        yield server


@pytest.fixture
def shared(server_url: URL) -> Iterator[ScratchServer]:
    with scratch_server(shown(server_url)) as server:
        yield server


@pytest.fixture
def admin(server_url: URL) -> Iterator[Connection]:
    engine = create_engine(server_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection


def shown(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def script(sql: str) -> Script:
    return read_script(sql, Path("001_a.up.sql"))


def databases(connection: Connection) -> set[str]:
    query = text("SELECT datname FROM pg_database WHERE starts_with(datname, :prefix)")
    return {row[0] for row in connection.execute(query, {"prefix": PREFIX})}


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def run(connection: Connection, *statements: str) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)
    connection.commit()


# --- databases --------------------------------------------------------------------------------


def test_create_clone_and_drop_on_a_server_of_our_own(own: ScratchServer):
    assert not own.shared
    with own.create() as base, base.connect() as connection:
        assert own.version == connection.exec_driver_sql("SHOW server_version").scalar().split()[0]
        assert connection.exec_driver_sql("SHOW server_encoding").scalar() == "UTF8"
        assert connection.exec_driver_sql("SELECT current_database()").scalar() == base.name
        assert base.url.database == base.name
        run(connection, "CREATE TABLE t AS SELECT 1 AS id")
        connection.close()
        with own.clone(base) as copy, copy.connect() as other:
            run(other, "INSERT INTO t VALUES (2)")
            assert other.exec_driver_sql("SELECT count(*) FROM t").scalar() == 2
        with base.connect() as again:
            assert again.exec_driver_sql("SELECT count(*) FROM t").scalar() == 1
        with pytest.raises(DatabaseError, match="Cannot connect to the scratch database"):
            copy.connect()
    own.drop(base)  # gone already


def test_a_clone_waits_for_connections_and_says_who_is_in_the_way(
    own: ScratchServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("alembic_rollback.scratch.server._CLONE_SECONDS", 0.0)
    problem = pytest.raises(DatabaseError, match="1 of its connections stay open")
    with own.create() as base, base.connect(), problem:
        own.clone(base)


def test_template1_is_not_copied(server_url: URL, shared: ScratchServer):
    template = create_engine(server_url.set(database="template1"), poolclass=NullPool)
    with template.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE unwanted ()")
    try:
        with shared.create() as base, base.connect() as connection:
            assert connection.exec_driver_sql("SELECT to_regclass('unwanted')").scalar() is None
    finally:
        with template.begin() as connection:
            connection.exec_driver_sql("DROP TABLE unwanted")


def test_a_role_that_may_only_create_databases_is_enough(server_url: URL, admin: Connection):
    run(admin, 'CREATE ROLE "it\'s me" LOGIN CREATEDB')
    try:
        with scratch_server(shown(server_url.set(username="it's me"))) as server:
            base = server.create()
            with base.connect() as connection:
                run(connection, "CREATE TABLE t ()")
            server.clone(base)
        assert databases(admin) == set()
        run(admin, 'ALTER ROLE "it\'s me" NOCREATEDB')
        with scratch_server(shown(server_url.set(username="it's me"))) as server:
            with pytest.raises(DatabaseError, match="permission denied") as caught:
                server.create()
            assert "CREATEDB" in str(caught.value)
    finally:
        run(admin, 'DROP ROLE "it\'s me"')


@pytest.mark.parametrize("driver", ["postgresql", "postgresql+asyncpg", "postgresql+psycopg2"])
def test_drivers(server_url: URL, driver: str):
    url = server_url.set(drivername=driver)
    if driver.endswith("asyncpg"):
        url = url.update_query_dict({"ssl": "prefer", "prepared_statement_cache_size": "0"})
    with scratch_server(shown(url)) as server, server.create() as base, base.connect() as found:
        assert base.url.drivername == "postgresql+psycopg2"
        assert found.exec_driver_sql("SELECT 1").scalar() == 1


# --- errors -----------------------------------------------------------------------------------


def test_no_binaries_leads_to_scratch_url(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("ALEMBIC_ROLLBACK_PG_BIN", str(tmp_path))
    with pytest.raises(DatabaseError, match="doesn't hold initdb") as caught, scratch_server():
        pass
    assert "--scratch-url" in (caught.value.next_step or "")


@pytest.mark.parametrize(
    ("url", "kind", "problem"),
    [
        ("nonsense:sesame@", DatabaseError, "cannot be read"),
        ("postgresql://me:sesame@h:port/x", DatabaseError, "cannot be read"),
        ("postgresql+nope://me:sesame@h/x", DatabaseError, "Can't load plugin"),
        ("sqlite:///sesame", NotPostgreSQL, "the URL is for sqlite"),
        ("postgresql://me:sesame@127.0.0.1:1/x", DatabaseError, "Cannot connect"),
    ],
)
def test_an_unusable_url_is_explained_without_the_password(
    url: str, kind: type[RollbackError], problem: str
):
    with pytest.raises(kind, match=problem) as caught, scratch_server(url):
        pass
    assert "sesame" not in str(caught.value)


def test_errors_of_the_caller_come_out_as_they_are(own: ScratchServer, server_url: URL):
    for url in ("", shown(server_url)):
        with scratch_server(url) as server:
            base = server.create()
            with pytest.raises(DBAPIError), base, base.connect() as connection:
                connection.exec_driver_sql("SELECT nope")
    with pytest.raises(DBAPIError), scratch_server(url) as server:
        raise DBAPIError("SELECT nope", None, Exception())


# --- nothing is left --------------------------------------------------------------------------


def test_all_databases_are_removed_on_an_exception(server_url: URL, admin: Connection):
    held = []

    def fail_with_an_open_connection(server: ScratchServer) -> None:
        held.append(server.create().connect())
        assert len(databases(admin)) == 1
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), scratch_server(shown(server_url)) as server:
        fail_with_an_open_connection(server)
    assert databases(admin) == set()
    held[0].invalidate()
    held[0].close()


OWNER = """
import sys, time
from alembic_rollback.scratch import scratch_server
with scratch_server(sys.stdin.readline().strip()) as server:
    held = server.create().connect()
    held.exec_driver_sql("CREATE TABLE t AS SELECT 1 AS id")
    held.commit()
    if "making" in sys.argv:
        held.close()
        print("ready", flush=True)
        while True:
            server.create()
    print("ready", flush=True)
    held.exec_driver_sql("SELECT pg_sleep(600)")
"""


def start_owner(url: URL, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(shown(url) + "\n")
    process.stdin.flush()
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("doing", ["sleeping", "making"])
def test_a_killed_process_leaves_nothing(server_url: URL, admin: Connection, doing: str):
    process = start_owner(server_url, doing)
    assert databases(admin)
    process.kill()
    process.communicate()
    assert eventually(lambda: not databases(admin))
    time.sleep(0.2)
    assert databases(admin) == set()


def test_where_the_watcher_was_killed_too_the_next_start_sweeps(server_url: URL, admin: Connection):
    process = start_owner(server_url, "")
    for watcher in children(process.pid):
        os.kill(watcher, 9)
    process.kill()
    process.communicate()
    left = databases(admin)
    assert len(left) == 1
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE starts_with(datname, %s)"
    admin.exec_driver_sql(end, (PREFIX,))  # the sleeping one would end in ten minutes
    query = "SELECT count(*) FROM pg_stat_activity WHERE starts_with(datname, %s)"
    assert eventually(lambda: admin.exec_driver_sql(query, (PREFIX,)).scalar() == 0)
    with scratch_server(shown(server_url)) as server:
        base = server.create()
        assert databases(admin) == {base.name}


def test_a_living_owners_databases_and_strangers_are_not_swept(server_url: URL, admin: Connection):
    stranger = f"{PREFIX}of_my_own"
    run(admin, f"CREATE DATABASE {stranger}")
    living = new_name(claim(admin))
    run(admin, f"CREATE DATABASE {living}")
    try:
        with scratch_server(shown(server_url)):
            pass
        assert databases(admin) == {stranger, living}
    finally:
        run(admin, f"DROP DATABASE {stranger}", f"DROP DATABASE {living}")


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


# --- what a statement reaches -----------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE ROLE app",
        "CREATE USER app",
        "CREATE GROUP app",
        "ALTER ROLE app SET search_path = x",
        "ALTER GROUP app ADD USER me",
        "ALTER USER app PASSWORD 'x'",
        "ALTER ROLE a RENAME TO b",
        "DROP ROLE IF EXISTS app",
        "GRANT readonly TO app",
        "REVOKE readonly FROM app",
        "REASSIGN OWNED BY app TO other",
        "DROP OWNED BY app",
        "COMMENT ON ROLE app IS 'x'",
        "COMMENT ON DATABASE shop IS 'x'",
        "CREATE TABLESPACE fast LOCATION '/x'",
        "ALTER TABLESPACE fast OWNER TO app",
        "DROP TABLESPACE fast",
        "CREATE DATABASE shop",
        "ALTER DATABASE shop SET work_mem = '1MB'",
        "ALTER DATABASE shop OWNER TO app",
        "ALTER DATABASE shop RENAME TO s",
        "DROP DATABASE shop",
        "GRANT CONNECT ON DATABASE shop TO app",
        "GRANT SET ON PARAMETER work_mem TO app",
        "ALTER SYSTEM SET work_mem = '1MB'",
        "DO $$ BEGIN IF true THEN CREATE ROLE app; END IF; END $$",
        "DO $$ BEGIN EXECUTE 'CREATE ROLE ' || quote_ident('app'); END $$",
        "DO $$ BEGIN EXECUTE $x$DROP DATABASE shop$x$; END $$",
        "SELECT pg_reload_conf()",
        "SELECT * FROM pg_create_physical_replication_slot('s')",
    ],
)
def test_what_all_databases_share_is_refused_on_a_shared_server(shared: ScratchServer, sql: str):
    with pytest.raises(SharedServer) as caught:
        shared.require(script(f"CREATE TABLE t ();\n  {sql};"))
    assert str(caught.value.where) == "001_a.up.sql:2:3"
    with shared.create() as base, base.connect() as connection, pytest.raises(SharedServer):
        connection.exec_driver_sql(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "GRANT SELECT ON t TO PUBLIC",
        "ALTER TABLE t OWNER TO CURRENT_USER",
        "COMMENT ON TABLE t IS 'role'",
        "ALTER TABLE a RENAME TO b",
        "DO $$ BEGIN UPDATE t SET role = 'user'; END $$",
        "CREATE PUBLICATION p FOR ALL TABLES",
        "COPY t FROM '/x'",
        "SET ROLE NONE",
        "RESET ROLE",
    ],
)
def test_what_stays_in_the_database_is_not_refused(sql: str):
    (statement,) = parse(sql, Path())
    assert (cluster_wide(statement), reaching_out(statement)) == (None, None)
    assert named_roles(statement) == frozenset()


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p",
        "ALTER SUBSCRIPTION s REFRESH PUBLICATION",
        "DROP SUBSCRIPTION s",
        "COPY t TO PROGRAM 'cat'",
        "COPY t TO '/x'",
        "SELECT * FROM dblink('host=x', 'DELETE FROM t') AS r(id int)",
        "IMPORT FOREIGN SCHEMA public FROM SERVER s INTO x",
    ],
)
def test_what_reaches_beyond_the_server_is_refused_everywhere(own: ScratchServer, sql: str):
    with pytest.raises(NotOnScratch, match="reaches beyond the server"):
        own.require(script(sql))


# --- roles and extensions ---------------------------------------------------------------------


def test_missing_roles_are_made_on_a_server_of_our_own(own: ScratchServer):
    with own.create() as base, base.connect() as connection:
        run(
            connection,
            "CREATE TABLE t (id int)",
            'GRANT SELECT ON t TO app, "Odd ""Role""", PUBLIC',
            "ALTER TABLE t OWNER TO owner",
            "CREATE POLICY p ON t TO reader",
            "ALTER DEFAULT PRIVILEGES FOR ROLE maker GRANT SELECT ON TABLES TO taker",
            "CREATE ROLE made IN ROLE above",
            "GRANT granted TO made",
            "COMMENT ON ROLE commented IS 'x'",
            "CREATE SCHEMA AUTHORIZATION author",
            "CREATE TABLE mine (id int)",
            "ALTER TABLE mine OWNER TO walker",
            "SET ROLE walker",
            'GRANT SELECT ON mine TO "late 100%%"',
            "RESET ROLE",
        )
        connection.execute(text("GRANT SELECT ON t TO bound -- %"))
        names = {row[0] for row in connection.exec_driver_sql("SELECT rolname FROM pg_roles")}
        wanted = "app,owner,reader,maker,taker,made,above,granted,commented,author,walker,bound"
        assert {*wanted.split(","), 'Odd "Role"', "late 100%"} <= names
        can = connection.exec_driver_sql("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'app'")
        assert can.scalar() is False
        with pytest.raises(DBAPIError, match="does not exist"):
            connection.exec_driver_sql("DROP ROLE never_made")
    with own.create() as other, other.connect() as connection:
        names = {row[0] for row in connection.exec_driver_sql("SELECT rolname FROM pg_roles")}
        assert "app" not in names  # gone with the database
        run(connection, "CREATE ROLE app", "CREATE TABLE t ()", "GRANT SELECT ON t TO app")


def test_a_database_that_is_named_is_made_on_a_server_of_our_own(own: ScratchServer):
    with own.create() as base, base.connect() as connection:
        run(
            connection,
            'GRANT CONNECT ON DATABASE "Shop" TO visitor',
            "ALTER DATABASE \"Shop\" SET timezone = 'UTC'",
            "ALTER DATABASE till OWNER TO keeper",
            "COMMENT ON DATABASE till IS 'x'",
        )


def test_missing_roles_are_named_on_a_shared_server(shared: ScratchServer):
    with pytest.raises(MissingRole) as caught:
        shared.require(script("CREATE TABLE t ();\nGRANT SELECT ON t TO app, pg_monitor, api;"))
    assert caught.value.roles == ("api", "app")
    assert "001_a.up.sql:2:1: the scratch server has no roles api, app." in str(caught.value)
    with shared.create() as base, base.connect() as connection:
        run(connection, "CREATE TABLE t (id int)")
        with pytest.raises(MissingRole):
            connection.execute(text("GRANT SELECT ON t TO app"))


@pytest.mark.parametrize("which", ["own", "shared"])
def test_missing_extensions_are_named_all_at_once(request: Any, which: str):
    server: ScratchServer = request.getfixturevalue(which)
    sql = (
        "CREATE EXTENSION plpgsql;\nCREATE EXTENSION nope;\n"
        'CREATE EXTENSION IF NOT EXISTS "no-way" CASCADE;'
    )
    with pytest.raises(MissingExtension) as caught:
        server.require(script(sql))
    assert caught.value.extensions == ("nope", "no-way")
    assert "001_a.up.sql:2:1: the scratch server has no extensions nope, no-way. Nothing" in str(
        caught.value
    )


def test_a_statement_with_parameters_is_read_with_its_values(own: ScratchServer):
    with own.create() as base, base.connect() as connection:
        run(connection, "CREATE TABLE t (id int, v text)")
        values = [{"i": 1, "v": "'); DROP ROLE x; --"}, {"i": 2, "v": "%"}]
        connection.execute(text("INSERT INTO t VALUES (:i, :v)"), values)
        connection.execute(text("INSERT INTO t VALUES (:i, :v)"), values[0])
        assert connection.exec_driver_sql("SELECT count(*) FROM t").scalar() == 3
