"""The server that everything is measured on: embedded, on tmpfs, asked through psql."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from alembic_rollback.embedded import Server, start

SETTINGS = {
    "autovacuum": "off",  # it would come at its own times
    "max_locks_per_transaction": "2048",  # a downgrade of 1,000 tables in one transaction
}
DATABASE = "bench"


class Database:
    """One database, made anew for each measurement that needs it empty."""

    def __init__(self, server: Server) -> None:
        self.server = server
        beside = server.bindir / "psql"
        found = beside if beside.exists() else shutil.which("psql")
        if found is None:
            raise SystemExit("psql is needed: it is the floor that everything is compared with.")
        self.psql = str(found)
        self.env = {
            "PGHOST": str(server.socket_dir),
            "PGPORT": str(server.port),
            "PGUSER": "postgres",
            "BENCH_URL": server.url(DATABASE),
        }

    @property
    def host(self) -> Path:
        """The directory of the server's socket."""
        return self.server.socket_dir

    def ask(self, *statements: str, database: str = "postgres") -> str:
        """Run statements, each by itself; return what the last one gives."""
        argv = [self.psql, "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database]
        for statement in statements:
            argv += ["-c", statement]
        env = {**self.env, "LC_ALL": "C"}
        done = subprocess.run(argv, env=env, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"psql: {done.stderr.strip()}")
        return done.stdout.strip()

    def renew(self) -> None:
        """An empty database, and nothing left to be written from before."""
        self.ask(
            "SET client_min_messages = error",
            f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)",
            f"CREATE DATABASE {DATABASE} TEMPLATE template0",
            "CHECKPOINT",
        )

    def run(self, *statements: str) -> None:
        """Run statements in the database, outside of what is measured."""
        self.ask(*statements, database=DATABASE)

    def tables(self) -> int:
        """How many of the work's tables are there: a tool that does nothing is not fast."""
        sql = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname ~ '^t[0-9]{6}$'"
        return int(self.ask(sql, database=DATABASE))


def started() -> Server:
    """A server of its own, which ends with this process."""
    return start(settings=SETTINGS)
