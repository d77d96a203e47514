"""Ways in which people run Alembic, each driven the same: up, status, a down that fails, down."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from alembic import command as alembic_command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from alembic_rollback import command
from alembic_rollback.errors import StatementError
from alembic_rollback.reporting.errors import error_lines
from alembic_rollback.reporting.style import Style
from tests import forking
from tests.project import Project, Result

PLACEHOLDER = "driver://user:pass@localhost/dbname"
"""In the templates of alembic.ini."""
UP, DOWN = "op.create_table('b', sa.Column('id', sa.Integer))", "op.drop_table('b')"
TABLES = {"1": "a", "2b": "b", "3": "c"}
"""The history of every project here: a pair, a `.py` revision of the template's, a pair."""


def through(url: URL, driver: str) -> URL:
    """The same database through another driver."""
    pytest.importorskip(driver)
    url = url.set(drivername=f"postgresql+{driver}")
    if driver == "pg8000" and "host" in url.query:
        socket = f"{url.query['host']}/.s.PGSQL.{url.query['port']}"
        url = url.set(query={"unix_sock": socket})
    return url


def text_of(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@dataclass
class Site:
    """Where a row makes its project."""

    root: Path
    url: URL
    stack: ExitStack

    def init(self, template: str = "generic", driver: str = "psycopg2") -> Project:
        """`alembic init -t TEMPLATE`, and the URL put in."""
        self.root.mkdir()
        toml = self.root / "pyproject.toml" if template.startswith("pyproject") else None
        config = Config(self.root / "alembic.ini", toml_file=toml, stdout=StringIO())
        alembic_command.init(config, str(self.root / "migrations"), template)
        self.put(f"{PLACEHOLDER}\n", through(self.url, driver))
        return Project(self.root, self.url)

    def put(self, place: str, url: URL) -> None:
        """Write a URL into alembic.ini, where % is ConfigParser's."""
        end = "\n" * place.endswith("\n")
        replace(self.root / "alembic.ini", (place, text_of(url).replace("%", "%%") + end))

    def beside(self) -> URL:
        """One more fresh database on the same server."""
        name = f"{self.url.database}_2"
        admin = create_engine(self.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")

        def run(sql: str) -> None:
            with admin.connect() as connection:
                connection.exec_driver_sql(sql)

        run(f"CREATE DATABASE {name} TEMPLATE template0")
        self.stack.callback(run, f"DROP DATABASE {name} WITH (FORCE)")
        return self.url.set(database=name)


def replace(file: Path, *changes: tuple[str, str]) -> None:
    """What a user edits; each text must be there."""
    text = file.read_text()
    for old, new in changes:
        assert old in text, f"{file} has no {old!r}"
        text = text.replace(old, new)
    file.write_text(text)


@dataclass
class Host:
    """A project whose user types `alembic …`."""

    project: Project
    urls: Sequence[URL] = ()
    """Its databases; the project's if not given."""
    schemas: Sequence[str] = ("public",)
    """Of its tables, in each database."""
    shown: str = "{database}"
    """How a database, or a schema of it, is called in what we print."""
    books: str = "{schema}.schema_migrations"
    """The ledger."""
    options: tuple[str, ...] = ()
    """Before each command."""
    undone: str = "The database is unchanged"
    """What is said after a down has failed."""

    def write_history(self) -> None:
        """Three revisions; the last one's down fails after it has done something."""
        self.project.table("1_a", "a")
        self.write_revision("2b")
        header = "-- Revises: 2b\n"
        broken = "DROP TABLE c;\nSELECT 1 / 0;\n"
        self.project.pair("3_c", f"{header}CREATE TABLE c (id int PRIMARY KEY);\n", broken)

    def mend(self) -> None:
        (self.project.versions / "3_c.down.sql").write_text("DROP TABLE c;\n")

    def write_revision(self, version: str) -> None:
        """A `.py` revision from the project's own template, its functions filled in."""
        self.make_revision(version)
        (file,) = self.project.versions.glob(f"{version}_*.py")
        body, lines = "", []
        for line in file.read_text().splitlines():
            if line.startswith("def "):
                body = UP if line.startswith("def upgrade") else DOWN
            lines.append(f"    {body}" if line == "    pass" else line)
        file.write_text("\n".join(lines))

    def make_revision(self, version: str) -> None:
        alembic_command.revision(self.config, "b", rev_id=version)

    @property
    def config(self) -> Config:
        """As the command line makes it in the project's directory."""
        toml = self.project.root / "pyproject.toml"
        return Config(
            self.project.root / "alembic.ini",
            toml_file=toml if toml.exists() else None,
            stdout=StringIO(),
        )

    def alembic(self, *args: str, code: int = 0) -> Result:
        return self.project.alembic(*self.options, *args, code=code)

    def upgrade(self) -> None:
        self.alembic("upgrade", "head")

    def fail(self) -> str:
        """Roll the last one back; what is said when that fails."""
        said = self.alembic("rollback-db", "--last", "1", "--yes", code=1)
        assert "Traceback" not in said.text
        return said.err

    def roll_back(self, last: int) -> None:
        self.alembic("rollback-db", "--last", str(last), "--yes")

    def status(self) -> dict[str, list[str]]:
        """Database as it is shown → applied versions."""
        found = json.loads(self.alembic("migration-status", "--json").out)["databases"]
        return {
            one["database"]: [r["version"] for r in one["revisions"] if r["state"] == "applied"]
            for one in found
        }

    def expected(self, *versions: str) -> dict[str, list[str]]:
        """What `status` is to say."""
        return {
            self.shown.format(database=url.database, schema=schema): list(versions)
            for url in self.urls or [self.project.url]
            for schema in self.schemas
        }

    def holds(self, *versions: str) -> None:
        """Tables, ledgers and version tables say these revisions, in every schema."""
        tables = sorted(TABLES[version] for version in versions)
        for url in self.urls or [self.project.url]:
            for schema in self.schemas:
                query = Project(self.project.root, url).query
                found = query(
                    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname IN "
                    f"('a', 'b', 'c') AND relnamespace = '{schema}'::regnamespace ORDER BY 1"
                )
                assert [row[0] for row in found] == tables, (url.database, schema)
                books = self.books.format(schema=schema)
                rows = query(f"SELECT version FROM {books} ORDER BY 1")
                assert [row[0] for row in rows] == list(versions), books


@dataclass
class Program(Host):
    """An application that calls `alembic.command` and `alembic_rollback.command`."""

    application: Config = field(default_factory=Config)
    lend: Callable[[Config, Callable[[], Any]], Any] = lambda config, call: call()
    """Makes a call, with the application's own connection in `config.attributes`."""

    @property
    def config(self) -> Config:
        return self.application

    def upgrade(self) -> None:
        self.lend(self.config, lambda: alembic_command.upgrade(self.config, "head"))

    def fail(self) -> str:
        with pytest.raises(StatementError, match="division by zero") as caught:
            self._roll_back(1)
        failure = command.failure_of(caught.value)
        return "\n".join(error_lines(caught.value, failure, Style()))

    def roll_back(self, last: int) -> None:
        assert all(one.executed for one in self._roll_back(last))

    def _roll_back(self, last: int) -> Any:
        return self.lend(
            self.config, lambda: command.rollback(self.config, last=last, confirm=True)
        )

    def status(self) -> dict[str, list[str]]:
        found = self.lend(self.config, lambda: command.status(self.config))
        return {one.database: [r.version for r in one.revisions if r.applied] for one in found}


@dataclass
class Flask(Host):
    """An application with Flask-Migrate, whose user types `flask …`."""

    def flask(self, *args: str, code: int = 0) -> Result:
        env = self.project.env()
        result = Result(*forking.run(args, self.project.root, env, module="flask"))
        assert result.code == code, result.text
        return result

    def make_revision(self, version: str) -> None:
        self.flask("db", "revision", "--rev-id", version, "-m", "b")

    def upgrade(self) -> None:
        self.flask("db", "upgrade")

    def alembic(self, *args: str, code: int = 0) -> Result:
        return self.flask("alembic-rollback", *args, code=code)
