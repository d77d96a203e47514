"""Every env.py that people have: Alembic's own templates, and what its cookbook makes of them.

One function a row, from the real template with what a user edits. Each is upgraded, asked for its
status, rolled back by a down that fails, and rolled back.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from alembic import command as alembic_command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from alembic_rollback import command
from tests.ecosystem.hosts import PLACEHOLDER, Host, Program, Shell, Site, replace, text_of, through

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
        ("from sqlalchemy import engine_from_config", "import os\nfrom sqlalchemy import create_engine"),
        ('engine_from_config(\n        config.get_section(config.config_ini_section, {}),\n'
         '        prefix="sqlalchemy.",', "create_engine(\n        os.environ['SHOP_URL'],"),
    )  # fmt: skip
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


# --- applications -----------------------------------------------------------------------------

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
)


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
    assert "The database is unchanged" in said
    host.holds("1", "2b", "3")
    host.mend()
    host.roll_back(2)
    host.holds("1")
