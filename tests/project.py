"""An Alembic project in a temporary directory, driven by real `alembic` processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from tests import forking

ENV = """
from logging.config import fileConfig
from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

if context.config.config_file_name:
    fileConfig(context.config.config_file_name, disable_existing_loggers=False)
URL = {url!r}
OPTIONS = {options}
if context.is_offline_mode():
    context.configure(dialect_name="postgresql", literal_binds=True, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()
else:
    with create_engine(URL, poolclass=NullPool).connect() as connection:
        context.configure(connection=connection, **OPTIONS)
        with context.begin_transaction():
            context.run_migrations()
"""

INI = """
[alembic]
script_location = %(here)s/migrations
path_separator = os
{more}
[loggers]
keys = root,alembic
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = WARNING
handlers = console
[logger_alembic]
level = INFO
handlers =
qualname = alembic
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(levelname)s [%(name)s] %(message)s
"""

SCRIPT = '''"""{message}

Revision ID: {revision}
"""
from alembic import op
import sqlalchemy as sa

revision = {revision!r}
down_revision = {down!r}
branch_labels = {labels!r}
depends_on = {depends!r}


def upgrade():
    {up}


def downgrade():
    {down_body}
'''

_UTF8 = {"PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"}


@dataclass(frozen=True)
class Result:
    """What a process printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass
class Project:
    """One project; `url` is where its env.py connects to."""

    root: Path
    url: URL
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def create(
        cls, root: Path, url: URL, *, options: str = "{}", settings: str = "", alembic: str = ""
    ) -> Project:
        (root / "migrations" / "versions").mkdir(parents=True)
        project = cls(root, url)
        project.write_env(ENV.format(url=project.shown_url, options=options))
        project.write_ini(settings, alembic)
        template = Path(__file__).parent.parent / "sample_project/migrations/script.py.mako"
        (root / "migrations" / "script.py.mako").write_text(template.read_text())
        return project

    @property
    def shown_url(self) -> str:
        return self.url.render_as_string(hide_password=False)

    @property
    def versions(self) -> Path:
        return self.root / "migrations" / "versions"

    def write_env(self, text: str) -> None:
        (self.root / "migrations" / "env.py").write_text(text)

    def write_ini(self, settings: str = "", alembic: str = "") -> None:
        more = f"{alembic}\n[alembic_rollback]\n{settings}\n" if settings else alembic
        (self.root / "alembic.ini").write_text(INI.format(more=more))

    def pair(self, title: str, up: str, down: str | None) -> Path:
        """Write a pair; no down file where `down` is None."""
        path = self.versions / f"{title}.up.sql"
        path.write_bytes(up.encode())
        if down is not None:
            (self.versions / f"{title}.down.sql").write_bytes(down.encode())
        return path

    def table(self, title: str, table: str, header: str = "") -> Path:
        """Write a pair that creates and drops a table."""
        return self.pair(
            title,
            f"{header}CREATE TABLE {table} (id int PRIMARY KEY);\n",
            f"DROP TABLE IF EXISTS {table} CASCADE;\n",
        )

    def script(
        self,
        revision: str,
        down: str | tuple[str, ...] | None,
        up: str = "pass",
        down_body: str = "pass",
        *,
        depends: str | tuple[str, ...] | None = None,
        labels: str | None = None,
        message: str | None = None,
    ) -> Path:
        """Write a `.py` revision."""
        path = self.versions / f"{revision}_script.py"
        path.write_text(
            SCRIPT.format(
                message=message or f"script {revision}",
                revision=revision,
                down=down,
                labels=labels,
                depends=depends,
                up=up,
                down_body=down_body,
            )
        )
        return path

    def alembic(
        self,
        *args: str,
        code: int | None = 0,
        input: str = "",
        env: Mapping[str, str] | None = None,
    ) -> Result:
        """Run `alembic …` as a process of its own; fail unless it ends with `code`."""
        given = self.env(env)
        if _is_usual(given):
            result = Result(*forking.run(args, self.root, given, input))
        else:
            result = self._run(args, given, input)
        assert code is None or result.code == code, f"{args}: {result.code}\n{result.text}"
        return result

    def _run(self, args: Iterable[str], env: Mapping[str, str], input: str) -> Result:
        """In a new interpreter."""
        process = subprocess.run(
            interpreted(*args),
            cwd=self.root,
            env=env,
            input=input,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return Result(process.returncode, process.stdout, process.stderr)

    def command(self, *args: str, env: Mapping[str, str] | None = None) -> list[str]:
        """The command line of an `alembic` process of its own; env: what is added for it."""
        usual = _is_usual(self.env(env))
        return forking.command_line(*args) if usual else interpreted(*args)

    def start(self, *args: str) -> subprocess.Popen[str]:
        """Start `alembic …` without waiting for it."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            self.command(*args), cwd=self.root, env=self.env(), stdout=pipe, stderr=pipe, text=True
        )

    def env(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "ALEMBIC_CONFIG")}
        return {**inherited, **_UTF8, **self.environment, **(more or {})}

    @property
    def config(self) -> Config:
        """For calls of alembic.command and alembic_rollback.commands in this process."""
        return Config(str(self.root / "alembic.ini"))

    def status(self) -> dict[str, Any]:
        """migration-status as data, of the only database."""
        found = json.loads(self.alembic("migration-status", "--json").out)
        return dict(found["databases"][0])

    def applied(self) -> list[str]:
        """The applied versions, in graph order."""
        return [r["version"] for r in self.status()["revisions"] if r["state"] == "applied"]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query on a connection of its own."""
        with _engine(self.url).connect() as connection:
            options = {"no_parameters": True}  # % is SQL's
            return [tuple(r) for r in connection.exec_driver_sql(sql, execution_options=options)]

    def execute(self, *statements: str) -> None:
        """Run statements in one committed transaction."""
        with _engine(self.url).begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def tables(self) -> set[str]:
        """The user's tables: ours and Alembic's left out."""
        ours = {"alembic_version", "schema_migrations", "schema_migrations_log"}
        rows = self.query(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = "
            "'public'::regnamespace"
        )
        return {row[0] for row in rows} - ours

    def ledger(self) -> list[str]:
        """The ledger's versions, in order of version."""
        return [row[0] for row in self.query("SELECT version FROM schema_migrations ORDER BY 1")]

    def heads(self) -> list[str]:
        """The version table's rows."""
        return [row[0] for row in self.query("SELECT version_num FROM alembic_version ORDER BY 1")]

    def log(self) -> list[tuple[str, str]]:
        """Version and outcome of each log row, in order."""
        return [
            (str(row[0]), str(row[1]))
            for row in self.query("SELECT version, outcome FROM schema_migrations_log ORDER BY id")
        ]


@lru_cache(maxsize=8)
def _engine(url: URL) -> Engine:
    """Makes connections, and keeps none; to make it asks for what each would ask for again."""
    return create_engine(url, poolclass=NullPool)


def interpreted(*args: str) -> list[str]:
    """The command line of an `alembic` in a new interpreter."""
    return [sys.executable, "-m", "alembic", *args]


def _is_usual(env: Mapping[str, str]) -> bool:
    """Whether an interpreter that started with our own environment is one for this."""
    mine = {k for k, v in env.items() if k.startswith("PYTHON") and v != os.environ.get(k)}
    return all(env[name] == _UTF8.get(name) for name in mine)


SHARED = pytest.mark.skipif(
    "ALEMBIC_ROLLBACK_TEST_URL" in os.environ
    and int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) > 1,
    reason="other tests write to the same server",
)
"""For tests of what happens where nobody else writes."""


def lines(text: Iterable[str] | str) -> list[str]:
    """Lines without the white space around them, empty ones left out."""
    source = text.splitlines() if isinstance(text, str) else text
    return [line.strip() for line in source if line.strip()]


def terminal(project: Project, *args: str, **env: str) -> Any:
    """`alembic …` on a real terminal, to be talked to."""
    import pexpect

    more = {"TERM": "xterm", "NO_COLOR": "1", **env}
    command, *rest = project.command(*args, env=more)
    return pexpect.spawn(
        command,
        rest,
        cwd=str(project.root),
        env=project.env(more),  # type: ignore[arg-type]
        encoding="utf-8",
        timeout=60,
        dimensions=(50, 200),
    )


def ended(child: Any) -> tuple[str, int]:
    """What it has said since, and how it ended."""
    import pexpect

    child.expect(pexpect.EOF)
    child.close()
    return child.before, child.exitstatus
