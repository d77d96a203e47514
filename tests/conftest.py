"""Real PostgreSQL for every test: one server a session, a fresh database a test.

The server is the embedded one, else an installed one, else ALEMBIC_ROLLBACK_TEST_URL (a URL of a
superuser or a role with CREATEDB). It ends with the session, also when pytest is killed.
"""

from __future__ import annotations

import gc
import os
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from tests.project import Project


@pytest.fixture(scope="session")
def server_url() -> Iterator[URL]:
    """The maintenance database of the session's server."""
    given = os.environ.get("ALEMBIC_ROLLBACK_TEST_URL")
    if given:
        yield make_url(given)
        return
    from alembic_rollback import embedded

    with embedded.start(settings={"max_connections": "60", "autovacuum": "off"}) as server:
        yield make_url(server.url("postgres"))


@pytest.fixture(scope="session")
def administration(server_url: URL) -> Iterator[Connection]:
    """A connection to the maintenance database, in autocommit mode."""
    admin = create_engine(server_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        yield connection


@pytest.fixture
def database_url(server_url: URL, administration: Connection) -> Iterator[URL]:
    """A fresh, empty database."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    # Copied as files, which is less work than through the log.
    knows = (administration.dialect.server_version_info or ()) >= (15,)
    how = "STRATEGY file_copy" if knows else ""
    administration.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0 {how}")
    yield server_url.set(database=name)
    administration.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def engine(database_url: URL) -> Iterator[Engine]:
    """An engine on the fresh database."""
    found = create_engine(database_url, poolclass=NullPool)
    yield found
    found.dispose()


@pytest.fixture
def connection(database_url: URL) -> Iterator[Any]:
    """A psycopg2 connection in autocommit mode."""
    url = database_url
    keywords = {"host": url.host, "port": url.port, "user": url.username, "password": url.password}
    for key in ("host", "port"):
        keywords[key] = url.query.get(key, keywords[key])
    found = psycopg2.connect(dbname=url.database, **{k: v for k, v in keywords.items() if v})
    found.autocommit = True
    yield found
    found.close()


@pytest.fixture
def project(tmp_path: Any, database_url: URL) -> Project:
    """An empty Alembic project on the fresh database."""
    return Project.create(tmp_path / "project", database_url)


LONGEST = (
    "test_crash",
    "test_impact_property",
    "test_fingerprint",
    "test_facts_families",
    "test_differential",
    "test_repair",
    "test_derivation",
    "test_keep_data",
    "test_locks",
    "test_reconcile",
    "test_pytest_plugin",
    "test_env_py",
)
"""The files that take longest. They come first: none is left to one worker at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files, which `--no-loadscope-reorder` keeps; not the tests in them."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


def pytest_configure() -> None:
    """Keep no bytecode of a project's env.py, as in tests/forking.py."""
    sys.dont_write_bytecode = True


def pytest_collection_finish() -> None:
    """Leave what the collection made, a few hundred thousand objects, to no garbage collector."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what tests have counted, which several processes couldn't themselves."""
    for report in terminalreporter.stats.get("passed", ()):
        for name, value in report.user_properties:
            if name == "counts":
                terminalreporter.write_line(str(value))
