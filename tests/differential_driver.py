"""Runs a sequence of Alembic commands in one process, with the plugin or without it.

    python -m tests.differential_driver with|without < job.json

The job names the database and the commands; the answer is a JSON list, one record per command
after one for the beginning: exit code, output, database. Run in the project's directory.
"""

from __future__ import annotations

import importlib.metadata
import io
import json
import sqlite3
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

OURS = "schema_migrations"
"""What our tables, their indexes and sequences begin with."""
SYSTEM = "('pg_catalog', 'information_schema', 'pg_toast')"
CATALOG = {
    "relations": (
        "SELECT n.nspname, c.relname, c.relkind::text, c.relpersistence::text FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace"
    ),
    "columns": (
        "SELECT n.nspname, c.relname, a.attnum, a.attname, "
        "format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attisdropped, "
        "pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a "
        "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
        "LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
    ),
    "constraints": (
        "SELECT n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid) "
        "FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace"
    ),
    "indexes": (
        "SELECT n.nspname, c.relname, i.indisvalid, pg_get_indexdef(i.indexrelid) "
        "FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace"
    ),
    "types": (
        "SELECT n.nspname, t.typname, e.enumlabel FROM pg_enum e "
        "JOIN pg_type t ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid = t.typnamespace"
    ),
}


def load(*, plugin: bool) -> Any:
    """Import Alembic's CommandLine with the plugin or without; see that it is as it should be."""
    if not plugin:
        found = importlib.metadata.entry_points
        importlib.metadata.entry_points = lambda **asked: _others(found(**asked))  # type: ignore[assignment]
    from alembic.config import CommandLine
    from alembic.runtime.migration import MigrationContext
    from alembic.runtime.plugins import _all_plugins

    active = "alembic_rollback" in _all_plugins
    patched = hasattr(vars(MigrationContext)["run_migrations"], "_self_wrapper")
    imported = "alembic_rollback" in sys.modules
    assert (active, patched, imported) == (plugin,) * 3, (active, patched, imported)
    return CommandLine


def _others(points: Any) -> list[Any]:
    return [point for point in points if not point.value.startswith("alembic_rollback")]


class Postgres:
    """What a PostgreSQL database holds, our own tables left out."""

    def __init__(self, job: dict[str, Any]) -> None:
        import psycopg2

        self.connection = psycopg2.connect(job["dsn"])
        self.connection.autocommit = True
        self.version_table = job["version_table"]
        schema, table = self.version_table.split(".")
        suffix = "" if table == "alembic_version" else f"_{table}"
        self.ledger = f"{schema}.{OURS}{suffix}"

    def snapshot(self) -> dict[str, list[Any]]:
        """The catalog, the version table's rows, and the journal of the steps that were run."""
        where = f" WHERE n.nspname NOT IN {SYSTEM}"
        found = {
            name: sorted(
                (row for row in self.rows(sql + where) if not row[1].startswith(OURS)), key=str
            )
            for name, sql in CATALOG.items()
        }
        found["versions"] = self.table(self.version_table, "SELECT version_num FROM {} ORDER BY 1")
        found["journal"] = self.table("public.journal", "SELECT entry FROM {} ORDER BY id")
        # Compared with nothing: plain Alembic has no ledger.
        found["ledger"] = self.table(self.ledger, "SELECT version FROM {} ORDER BY 1")
        return found

    def table(self, name: str, sql: str) -> list[Any]:
        """Rows of a table; empty where it does not exist."""
        (exists,) = self.rows(f"SELECT to_regclass('{name}') IS NOT NULL")[0]
        return [row[0] for row in self.rows(sql.format(name))] if exists else []

    def rows(self, sql: str) -> list[Any]:
        """All rows of a query."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return [list(row) for row in cursor.fetchall()]

    def run(self, script: str) -> None:
        """Run an SQL script that brings its own BEGIN and COMMIT; end what it leaves open."""
        with self.connection.cursor() as cursor:
            try:
                cursor.execute(f"{script}\nSELECT 'the driver refuses a script without statements'")
            finally:
                cursor.execute("ROLLBACK")


class SQLite:
    """What a SQLite database holds."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.path = job["dsn"]

    def snapshot(self) -> dict[str, list[Any]]:
        """The schema, and the version table's rows."""
        connection = sqlite3.connect(self.path)
        master = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
        versions = []
        if any(name == "alembic_version" for _, name, _ in master):
            versions = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        connection.close()
        return {"schema": sorted(map(list, master), key=str), "versions": sorted(versions)}


class Nothing:
    """A database that nobody can connect to."""

    def __init__(self, job: dict[str, Any]) -> None:
        """There is nothing to connect to."""

    def snapshot(self) -> dict[str, list[Any]]:
        """Nothing."""
        return {}


DATABASES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "postgresql": Postgres,
    "sqlite": SQLite,
    "none": Nothing,
}


def run(command_line: Any, argv: list[str], out: io.StringIO) -> dict[str, Any]:
    """Run one command as a process would: an exception that nobody catches is exit code 1."""
    out.seek(0)
    out.truncate()
    code: Any = 0
    trace = ""
    try:
        command_line().main(argv)
    except SystemExit as ended:
        code = ended.code or 0
    except Exception:
        code, trace = 1, traceback.format_exc()
    printed = out.getvalue().replace(str(Path.cwd()), "ROOT")
    return {"argv": argv, "code": code % 256, "out": printed, "trace": trace}


def run_script(command_line: Any, argv: list[str], out: io.StringIO, database: Any) -> Any:
    """`["@sql", "upgrade", "TARGET"]`: the script from where the database is, run by hand."""
    _, direction, target = argv
    versions = database.snapshot()["versions"]
    if len(versions) > 1:
        # A range begins at one revision. A script from there would be wrong, with or without us.
        return {"argv": argv, "code": 0, "out": "not run", "trace": ""}
    start = versions[0] if versions else "base"
    done: dict[str, Any] = run(command_line, [direction, "--sql", f"{start}:{target}"], out)
    if done["code"] == 0:
        try:
            database.run(done["out"])
        except Exception as error:
            done["code"], done["trace"] = 1, f"{getattr(error, 'pgcode', None)} {error}"
    # The script itself says more with the plugin: the ledger's statements are in it.
    return {**done, "argv": argv, "out": ""}


def main() -> None:
    """Read the job, run it, write the answer."""
    (mode,) = sys.argv[1:]
    job = json.load(sys.stdin)
    # Config binds sys.stdout when alembic.config is imported.
    answer, sys.stdout = sys.stdout, io.StringIO()
    command_line = load(plugin=mode == "with")
    database = DATABASES[job["kind"]](job)
    begin = {"argv": ["(begin)"], "code": 0, "out": "", "trace": ""}
    records = [{**begin, "database": database.snapshot()}]
    for argv in job["commands"]:
        if argv[0] == "@sql":
            record = run_script(command_line, argv, sys.stdout, database)
        else:
            record = run(command_line, argv, sys.stdout)
        records.append({**record, "database": database.snapshot()})
    json.dump(records, answer)


if __name__ == "__main__":
    main()
