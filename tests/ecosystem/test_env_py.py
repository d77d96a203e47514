"""Every env.py that people have: Alembic's own templates, and what its cookbook makes of them.

One function a row, from the real template with what a user edits. Each is upgraded, asked for its
status, rolled back by a down that fails, and rolled back.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from sqlalchemy import Connection, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from tests.ecosystem.hosts import (
    DOWN,
    PLACEHOLDER,
    UP,
    Flask,
    Host,
    Program,
    Site,
    replace,
    text_of,
    through,
)
from tests.project import Project

CONFIGURE = "connection=connection, target_metadata=target_metadata"
"""The arguments of context.configure() in Alembic's templates."""


def configured(site: Site, options: str) -> Host:
    """The generic template with more arguments for context.configure()."""
    project = site.init()
    replace(project.root / "migrations/env.py", (CONFIGURE, f"{CONFIGURE}, {options}"))
    return Host(project)


# --- templates and drivers --------------------------------------------------------------------


def generic(site: Site) -> Host:
    return Host(site.init())


def generic_with_psycopg(site: Site) -> Host:
    return Host(site.init(driver="psycopg"))


def generic_with_pg8000(site: Site) -> Host:
    return Host(site.init(driver="pg8000"))


def async_with_asyncpg(site: Site) -> Host:
    return Host(site.init("async", "asyncpg"))


def async_with_psycopg(site: Site) -> Host:
    return Host(site.init("async", "psycopg"))


def pyproject(site: Site) -> Host:
    return Host(site.init("pyproject"))


def pyproject_async(site: Site) -> Host:
    return Host(site.init("pyproject_async", "asyncpg"))


def multidb(site: Site) -> Host:
    second = site.beside()
    project = site.init("multidb")
    site.put(f"{PLACEHOLDER}2", second)
    return Host(project, [site.url, second])


# --- options of context.configure() -----------------------------------------------------------


def a_transaction_per_migration(site: Site) -> Host:
    return configured(site, "transaction_per_migration=True")


def a_version_table_schema(site: Site) -> Host:
    host = configured(site, "version_table_schema='meta'")
    host.project.execute("CREATE SCHEMA meta")
    host.shown, host.books = "{database}.meta", "meta.schema_migrations"
    return host


def a_version_table_of_another_name(site: Site) -> Host:
    host = configured(site, "version_table='shop_versions'")
    host.books = "public.schema_migrations_shop_versions"
    return host


def a_url_of_its_own(site: Site) -> Host:
    """env.py reads the environment; what alembic.ini says is not true."""
    project = site.init()
    replace(
        project.root / "migrations/env.py",
        ("import engine_from_config", "import create_engine"),
        (
            "engine_from_config(\n",
            "create_engine(\n        __import__('os').environ['SHOP_URL'],\n",
        ),
        ("        config.get_section(config.config_ini_section, {}),\n", ""),
        ('        prefix="sqlalchemy.",\n', ""),
    )
    replace(project.root / "alembic.ini", (f"@/{site.url.database}", "@/nowhere"))
    project.environment["SHOP_URL"] = text_of(site.url)
    return Host(project)


# --- several schemas --------------------------------------------------------------------------

TENANTS = """
from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

engine = create_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=NullPool)
TENANTS = ("one", "two")
"""


def tenants(site: Site, loop: str) -> Host:
    """A schema for each tenant, with tables and version table of its own."""
    project = site.init()
    project.write_env(TENANTS + loop)
    project.execute("CREATE SCHEMA one", "CREATE SCHEMA two")
    return Host(project, schemas=("one", "two"), shown="{database}.{schema}")


def tenants_with_a_connection_each(site: Site) -> Host:
    return tenants(
        site,
        """
for tenant in TENANTS:
    with engine.connect() as connection:
        connection.exec_driver_sql(f"SET search_path TO {tenant}")
        connection.commit()
        context.configure(connection=connection, version_table_schema=tenant)
        with context.begin_transaction():
            context.run_migrations()
""",
    )


def tenants_on_one_connection(site: Site) -> Host:
    return tenants(
        site,
        """
with engine.connect() as connection:
    for tenant in TENANTS:
        connection.exec_driver_sql(f"SET search_path TO {tenant}")
        connection.commit()
        context.configure(connection=connection, version_table_schema=tenant)
        with context.begin_transaction():
            context.run_migrations()
""",
    )


def tenants_in_one_transaction(site: Site) -> Host:
    return tenants(
        site,
        """
with engine.begin() as connection:
    for tenant in TENANTS:
        connection.exec_driver_sql(f"SET LOCAL search_path TO {tenant}")
        context.configure(connection=connection, version_table_schema=tenant)
        with context.begin_transaction():
            context.run_migrations()
""",
    )


def tenants_by_search_path_alone(site: Site) -> Host:
    """As in Alembic's cookbook, where -x names the tenant: no version_table_schema."""
    return tenants(
        site,
        """
with engine.connect() as connection:
    for tenant in TENANTS:
        connection.exec_driver_sql(f"SET search_path TO {tenant}")
        connection.commit()
        connection.dialect.default_schema_name = tenant
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
""",
    )


def a_tenant_named_by_x(site: Site) -> Host:
    """Alembic's cookbook: `alembic -x tenant=two …`."""
    host = tenants(
        site,
        """
tenant = context.get_x_argument(as_dictionary=True)["tenant"]
with engine.connect() as connection:
    connection.exec_driver_sql(f"SET search_path TO {tenant}")
    connection.commit()
    connection.dialect.default_schema_name = tenant
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
""",
    )
    host.schemas, host.options = ("two",), ("-x", "tenant=two")
    return host


# --- applications -----------------------------------------------------------------------------

COOKBOOK = """
from alembic import context
from sqlalchemy import engine_from_config
from sqlalchemy.pool import NullPool


def run(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()


config = context.config
connectable = config.attributes.get("connection", None)
if connectable is None:
    section = config.get_section(config.config_ini_section)
    with engine_from_config(section, prefix="sqlalchemy.", poolclass=NullPool).connect() as own:
        run(own)
else:
    run(connectable)
"""


def program(site: Site) -> Program:
    """An application without alembic.ini, with the cookbook's env.py."""
    project = site.init()
    project.write_env(COOKBOOK)
    (project.root / "alembic.ini").unlink()
    config = Config()
    config.set_main_option("script_location", str(project.root / "migrations"))
    return Program(project, application=config)


def a_program_that_calls_alembic_command(site: Site) -> Host:
    host = program(site)
    host.application.set_main_option("sqlalchemy.url", text_of(site.url).replace("%", "%%"))
    return host


def a_program_that_lends_its_connection(site: Site) -> Host:
    """The transaction is the program's, and so is the end of it."""
    host = program(site)
    engine = create_engine(site.url, poolclass=NullPool)

    def lend(config: Config, call: Callable[[], Any]) -> Any:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            return call()

    host.lend, host.undone = lend, "nothing of it stays unless they commit it"
    return host


def a_program_that_lends_its_async_connection(site: Site) -> Host:
    """`await connection.run_sync(…)`."""
    host = program(site)
    url = through(site.url, "asyncpg")

    async def lent(config: Config, call: Callable[[], Any]) -> Any:
        from sqlalchemy.ext.asyncio import create_async_engine

        def run(connection: Connection) -> Any:
            config.attributes["connection"] = connection
            return call()

        async with create_async_engine(url, poolclass=NullPool).begin() as connection:
            return await connection.run_sync(run)

    host.lend = lambda config, call: asyncio.run(lent(config, call))
    host.undone = "nothing of it stays unless they commit it"
    return host


FLASK = """
import os
from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

app = Flask("shop")
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["SHOP_URL"]
Migrate(app, SQLAlchemy(app))
"""


def flask_migrate(site: Site) -> Host:
    """`flask db init`, `flask db upgrade`; ours as `flask alembic-rollback …`."""
    pytest.importorskip("flask_migrate")
    site.root.mkdir()
    project = Project(site.root, site.url, {"SHOP_URL": text_of(site.url), "FLASK_APP": "shop"})
    (site.root / "shop.py").write_text(FLASK)
    host = Flask(project)
    host.flask("db", "init")
    return host


ROWS = (
    generic,
    generic_with_psycopg,
    generic_with_pg8000,
    async_with_asyncpg,
    async_with_psycopg,
    pyproject,
    pyproject_async,
    multidb,
    a_transaction_per_migration,
    a_version_table_schema,
    a_version_table_of_another_name,
    a_url_of_its_own,
    tenants_with_a_connection_each,
    tenants_on_one_connection,
    tenants_in_one_transaction,
    tenants_by_search_path_alone,
    a_tenant_named_by_x,
    a_program_that_calls_alembic_command,
    a_program_that_lends_its_connection,
    a_program_that_lends_its_async_connection,
    flask_migrate,
)


# --- the test ---------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path, database_url: URL) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(tmp_path / "project", database_url, stack)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.__name__)
def test_up_status_a_down_that_fails_and_down(site: Site, row: Callable[[Site], Host]) -> None:
    host = row(site)
    host.write_history()
    host.upgrade()
    host.holds("1", "2b", "3")
    assert host.status() == host.expected("1", "2b", "3")
    said = host.fail()
    assert "3_c.down.sql:2:1: division by zero (22012)" in said
    assert host.undone in said
    host.holds("1", "2b", "3")
    host.mend()
    host.roll_back(2)
    host.holds("1")


# --- several databases and schemas at once ----------------------------------------------------


def test_the_plan_and_its_hash_are_those_of_every_tenant(site: Site) -> None:
    host = tenants_on_one_connection(site)
    host.write_history()
    host.mend()
    host.upgrade()
    host.project.execute("INSERT INTO two.c VALUES (1), (2)")
    plan = json.loads(host.alembic("rollback-db", "3", "--dry-run", "--json").out)
    places = [f"{site.url.database}.{schema}" for schema in host.schemas]
    assert [
        (one["database"], [table["rows"] for step in one["steps"] for table in step["tables"]])
        for one in plan["databases"]
    ] == [(places[0], [0]), (places[1], [2])]
    host.project.execute("INSERT INTO two.c VALUES (3)")
    said = host.alembic("rollback-db", "3", "--confirm", plan["hash"], code=3).err
    assert "What would happen is not what was confirmed" in said
    done = host.alembic("rollback-db", "3", "--yes").out
    assert [line for line in done.splitlines() if "Rolled back" in line] == [
        f"✅ Rolled back 3_c in {place}" for place in places
    ]
    host.holds("1", "2b")


@pytest.mark.parametrize(
    ("row", "code", "says"),
    [
        (tenants_on_one_connection, 5, "3_c in {}.one rolled back and committed before it."),
        (tenants_in_one_transaction, 1, "The database is unchanged"),
    ],
    ids=["each", "one"],
)
def test_a_down_that_fails_in_the_second_tenant(
    site: Site, row: Callable[[Site], Host], code: int, says: str
) -> None:
    host = row(site)
    host.write_history()
    host.mend()
    host.upgrade()
    host.project.execute("CREATE VIEW two.v AS SELECT * FROM two.c")
    said = host.alembic("rollback-db", "3", "--yes", code=code).err
    assert says.format(site.url.database) in said
    left = [["1", "2b"] if code == 5 else ["1", "2b", "3"], ["1", "2b", "3"]]
    assert list(host.status().values()) == left
    host.project.execute("DROP VIEW two.v")
    host.alembic("rollback-db", "3", "--yes")
    host.holds("1", "2b")


def test_what_a_py_of_multidb_takes_is_known(site: Site) -> None:
    """Its functions take the engine's name, which only env.py knows."""
    host = multidb(site)
    host.write_history()
    host.mend()
    (file,) = host.project.versions.glob("2b_*.py")
    first, second = file.read_text().split("def upgrade_engine2")
    file.write_text(f"{first}def upgrade_engine2{second.replace(UP, 'pass').replace(DOWN, 'pass')}")
    host.upgrade()
    plan = json.loads(host.alembic("rollback-db", "2b", "--dry-run", "--json").out)
    taken = [one["steps"][0]["losses"] for one in plan["databases"]]
    assert taken == [["DROP TABLE b (containing 0 rows)"], []]
    done = host.alembic("rollback-db", "2b", "--yes").out
    assert "changed while this ran" not in done


def test_what_a_py_takes_is_shown_in_the_schema_that_env_py_translates_to(site: Site) -> None:
    host = tenants(
        site,
        """
for tenant in TENANTS:
    with engine.connect() as connection:
        connection = connection.execution_options(schema_translate_map={None: tenant})
        context.configure(connection=connection, version_table_schema=tenant)
        with context.begin_transaction():
            context.run_migrations()
""",
    )
    host.write_revision("2b")
    host.project.execute("CREATE TABLE public.b AS SELECT 1 AS id")
    host.upgrade()
    host.project.execute("INSERT INTO two.b VALUES (1), (2)")
    plan = json.loads(host.alembic("rollback-db", "2b", "--dry-run", "--json").out)
    assert [one["steps"][0]["losses"] for one in plan["databases"]] == [
        ["DROP TABLE one.b (containing 0 rows)"],
        ["DROP TABLE two.b (containing 2 rows)"],
    ]
    host.roll_back(1)
    host.holds()
    assert host.project.query("SELECT * FROM public.b") == [(1,)]
