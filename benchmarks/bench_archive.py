"""What it costs to keep a dropped table, by its size.

    python benchmarks/bench_archive.py --rows 20000000

Rolls back the revision that made a table with an index, with and without --archive, first with
1,000 rows and then with many, and prints how long each took; then how long putting it back took.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from alembic_rollback import command as ours
from alembic_rollback import embedded

ENV = """
from alembic import context
from sqlalchemy import create_engine, pool
with create_engine({url!r}, poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
VERSION = "20260101_001"


def project(directory: Path, url: str) -> Config:
    versions = directory / "migrations" / "versions"
    versions.mkdir(parents=True)
    (directory / "migrations" / "env.py").write_text(ENV.format(url=url))
    (directory / "alembic.ini").write_text(
        "[alembic]\nscript_location = %(here)s/migrations\n[alembic_rollback]\ncount_limit = 1000\n"
    )
    (versions / f"{VERSION}_large.up.sql").write_text(
        "CREATE TABLE large (id int PRIMARY KEY, note text);\nCREATE INDEX ON large (note);\n"
    )
    (versions / f"{VERSION}_large.down.sql").write_text("DROP TABLE large;\n")
    return Config(str(directory / "alembic.ini"))


def timed(run: Callable[[], Any]) -> float:
    """Milliseconds."""
    started = time.perf_counter()
    run()
    return (time.perf_counter() - started) * 1000


def measure(config: Config, url: str, rows: int) -> None:
    engine = create_engine(url, poolclass=NullPool)

    def fill() -> None:
        command.upgrade(config, "head")
        with engine.begin() as connection:
            connection.exec_driver_sql(
                f"INSERT INTO large SELECT n, 'note' FROM generate_series(1, {rows}) n"
            )

    fill()
    dropped = timed(lambda: ours.rollback(config, VERSION, confirm=True))
    fill()
    kept = timed(lambda: ours.rollback(config, VERSION, confirm=True, archive=True))
    command.upgrade(config, "head")
    restored = timed(lambda: ours.restore(config, VERSION))
    ours.rollback(config, VERSION, confirm=True)
    ours.drop_archived(config, 0, confirm=True)
    print(f"{rows:12,}{dropped:14.0f}{kept:14.0f}{restored:14.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    many = parser.parse_args().rows
    settings = {"autovacuum": "off", "max_wal_size": "8GB"}
    with tempfile.TemporaryDirectory() as place, embedded.start(settings=settings) as server:
        url = server.url("postgres")
        config = project(Path(place), url)
        print(f"{'rows':>12}{'dropped, ms':>14}{'archived, ms':>14}{'restored, ms':>14}")
        for rows in (1000, many):
            measure(config, url, rows)


if __name__ == "__main__":
    main()
