"""What reading the schema costs: all of it, nothing new, one table changed.

    python benchmarks/bench_fingerprint.py [--tables 500] [--rounds 10]

Prints medians in milliseconds, each with its ratio to the reading of everything. The machine's load
slows all of them: trust the ratios, not the times.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.comparison import compare
from alembic_rollback.catalog.facts.memory import Memory
from alembic_rollback.catalog.facts.model import Snapshot
from alembic_rollback.catalog.facts.reading import read
from alembic_rollback.scratch import scratch_server

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

TABLE = """
CREATE TABLE t{0} (id bigint PRIMARY KEY, a int NOT NULL, b text DEFAULT 'x', c timestamptz,
    d numeric CHECK (d > 0), e int);
CREATE INDEX ON t{0} (a);
"""
CHANGE = "ALTER TABLE t0 ADD COLUMN f int; CREATE TABLE u (id bigint REFERENCES t1)"


class Times:
    """By what was done, in milliseconds."""

    def __init__(self) -> None:
        self.found: dict[str, list[float]] = {}

    def of(self, what: str, run: Callable[[], Snapshot]) -> Snapshot:
        """Run it, and keep how long it took."""
        started = time.perf_counter()
        result = run()
        self.found.setdefault(what, []).append((time.perf_counter() - started) * 1000)
        return result

    def report(self) -> None:
        """Print the table."""
        whole = median(self.found["everything"])
        print(f"{'':24}{'median ms':>10}{'ratio':>9}")
        for what, found in self.found.items():
            print(f"{what:24}{median(found):10.1f}{median(found) / whole:9.1%}")


def measure(connection: Connection, times: Times) -> None:
    """One round: each kind of reading once, in a transaction that leaves nothing."""
    memory = Memory()

    def everything() -> Snapshot:
        return read(connection, edges=False, prepared=True)

    def again() -> Snapshot:
        return read(connection, edges=False, prepared=True, memory=memory)

    times.of("everything", everything)
    before = times.of("everything, remembered", again)
    assert times.of("nothing new", again) is before
    savepoint = connection.begin_nested()
    connection.exec_driver_sql(CHANGE)
    after = times.of("one table changed", again)
    times.of("compared", lambda: compare(before, after) and after)
    assert after == everything()
    savepoint.rollback()
    assert times.of("rolled back", again) is before


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tables", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    times = Times()
    with (
        scratch_server() as server,
        server.create() as database,
        database.engine() as engine,
        engine.connect() as connection,
    ):
        for number in range(options.tables):
            connection.exec_driver_sql(TABLE.format(number))
        connection.commit()
        measure(connection, Times())  # plans the queries
        for _ in range(options.rounds):
            measure(connection, times)
        facts = len(read(connection, edges=False).facts)
    print(f"{options.tables} tables, {facts} facts, medians of {options.rounds} rounds")
    times.report()


if __name__ == "__main__":
    main()
