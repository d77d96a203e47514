"""The whole look before a rollback, on a table of many rows, with a writer beside it.

    python benchmarks/bench_preflight.py --rows 20000000

Prints how long the dry run of a DROP TABLE took, how long it takes on an empty table (so that the
difference is what counting costs), and the writer's slowest insert with and without it beside.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from alembic_rollback import embedded
from alembic_rollback.commands import rollback
from alembic_rollback.planning import Request

ENV = """
from alembic import context
from sqlalchemy import create_engine, pool
with create_engine({url!r}, poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


class Writer(threading.Thread):
    """Inserts one row after the other; keeps the slowest time, in milliseconds."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url, self.slowest, self.ended = url, 0.0, threading.Event()

    def run(self) -> None:
        engine = create_engine(self.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            while not self.ended.is_set():
                started = time.perf_counter()
                connection.exec_driver_sql("INSERT INTO large VALUES (0, 'beside')")
                self.slowest = max(self.slowest, (time.perf_counter() - started) * 1000)

    def stop(self) -> float:
        self.ended.set()
        self.join()
        return self.slowest


def project(directory: Path, url: str, limit: int) -> Config:
    versions = directory / "migrations" / "versions"
    versions.mkdir(parents=True)
    (directory / "migrations" / "env.py").write_text(ENV.format(url=url))
    (directory / "alembic.ini").write_text(
        "[alembic]\nscript_location = %(here)s/migrations\n"
        f"[alembic_rollback]\ncount_limit = {limit}\n"
    )
    (versions / "20260101_001_large.up.sql").write_text("CREATE TABLE large (id int, note text);")
    (versions / "20260101_001_large.down.sql").write_text("DROP TABLE large CASCADE;")
    (versions / "20260101_002_small.up.sql").write_text("CREATE TABLE small (id int);")
    (versions / "20260101_002_small.down.sql").write_text("DROP TABLE small;")
    return Config(str(directory / "alembic.ini"))


def timed(config: Config, version: str) -> tuple[float, list[str]]:
    """Milliseconds of a dry run, and what it says; the best of three."""
    best, said = float("inf"), []
    for _ in range(3):
        started = time.perf_counter()
        (found,) = rollback(config, Request((version,)), dry_run=True)
        best = min(best, (time.perf_counter() - started) * 1000)
        said = [line for step in found.impact.steps for line in step.losses]
    return best, said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--count-limit", type=int, default=1_000_000)
    options = parser.parse_args()
    with embedded.start() as server, tempfile.TemporaryDirectory() as directory:
        url = server.url("postgres")
        config = project(Path(directory), url, options.count_limit)
        command.upgrade(config, "head")
        with create_engine(url, poolclass=NullPool).begin() as connection:
            connection.exec_driver_sql(
                f"INSERT INTO large SELECT n, 'note' FROM generate_series(1, {options.rows}) n"
            )
            connection.exec_driver_sql("ANALYZE large")
        alone = Writer(url)
        alone.start()
        time.sleep(1)
        before = alone.stop()
        writer = Writer(url)
        writer.start()
        large, said = timed(config, "20260101_001")
        beside = writer.stop()
        small, _ = timed(config, "20260101_002")
        print(f"{options.rows} rows: {'; '.join(said)}")
        print(f"dry run {large:.0f} ms, on an empty table {small:.0f} ms")
        print(f"slowest insert {beside:.1f} ms beside it, {before:.1f} ms alone")


if __name__ == "__main__":
    main()
