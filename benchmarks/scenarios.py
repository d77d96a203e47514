"""What is measured: everybody in turn within each round, so that a busy machine slows all alike."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import bench_import
import work
from database import Database
from goals import Key
from measuring import Failed, Sample, run
from peers import OURS, PLAIN, Command, Peer, alembic, known, plain

_KEPT = ("HOME", "LANG", "TERM", "TMPDIR")
"""Of the environment: PYTHONDONTWRITEBYTECODE, for one, would have every start compile again."""


@dataclass
class Bench:
    """A run of the benchmarks and what it has measured so far."""

    database: Database
    place: Path
    tools: Path
    small: int
    large: int
    rounds: int
    samples: dict[Key, list[Sample]] = field(default_factory=lambda: defaultdict(list))
    failed: dict[str, str] = field(default_factory=dict)
    """By tool: why it is left out of the rest of a scenario."""

    def measure(self, what: str, number: int, who: str, argv: Command, directory: Path) -> None:
        """Run a command once and keep what it took."""
        sample = self.run(argv, directory)
        self.samples[what, number, who].append(sample)
        print(f"  {what:16} {number:6} {who:18} {sample.wall:8.2f} s", file=sys.stderr)

    def run(self, argv: Command, directory: Path) -> Sample:
        """Run a command once."""
        env = {key: value for key, value in os.environ.items() if key in _KEPT}
        path = f"{self.database.server.bindir}:{os.environ['PATH']}"
        env |= {"PATH": path, "LC_ALL": "C.UTF-8", "NO_COLOR": "1", **self.database.env}
        env |= self.env
        return run(argv, directory, env, self.place / "output.txt")

    env: dict[str, str] = field(default_factory=dict)
    """What the tool at work needs beside."""

    def peers(self, number: int, names: tuple[str, ...] = ()) -> list[Peer]:
        """The tools, or some of them, that have not failed."""
        every = known(self.database, self.tools, number)
        return [p for p in every if p.name not in self.failed and (not names or p.name in names)]

    def expect(self, tables: int) -> None:
        """Raise Failed unless the last command has done its work."""
        found = self.database.tables()
        if found != tables:
            raise Failed(f"there are {found} tables instead of {tables}")

    def each(self, peers: list[Peer], action: Callable[[Peer], None]) -> None:
        """Do something with each tool; one that fails is left out from then on, and named."""
        for peer in peers:
            self.env = dict(peer.env)
            try:
                action(peer)
            except Failed as error:
                self.failed[peer.name] = str(error)
                print(f"FAILED {peer.name}: {error}", file=sys.stderr)


def imports(bench: Bench) -> None:
    """`import alembic` with the plugin and without, in turn."""
    names = {"with": OURS, "without": PLAIN}
    for mode, found in bench_import.measure_all(8 * bench.rounds).items():
        for one in found:
            sample = Sample(one.wall / 1000, one.cpu / 1000, 0, 0)
            bench.samples["import", 0, names[mode]].append(sample)


def starts(bench: Bench) -> None:
    """What a process takes before it has anything to do."""
    bench.database.renew()
    directory = work.prepare(bench.place, work.write_revisions, 0)
    for number in range(2 * bench.rounds + 1):
        for who, argv in ((PLAIN, plain("current")), (OURS, alembic("migration-status"))):
            if number:  # the first one only writes the .pyc files
                bench.measure("start", 0, who, argv, directory)
            else:
                bench.run(argv, directory)


def small(bench: Bench) -> None:
    """Apply, look, one more, roll back: every tool, with a moderate number of migrations."""
    for number in range(bench.rounds):
        peers = bench.peers(bench.small)
        bench.each(
            [peer for peer in peers if not peer.slow or (number == 0 and bench.small <= 1000)],
            lambda peer: _small_round(bench, peer),
        )


def _small_round(bench: Bench, peer: Peer) -> None:
    n = bench.small
    directory = _applied(bench, peer, n)
    if peer.status:
        bench.measure("status", n, peer.name, peer.status, directory)
    if peer.name == OURS:
        middle = work.version(n // 2)
        argv = alembic("rollback-db", middle, "--dry-run")
        bench.measure("dry run", n, OURS, argv, directory)
    if peer.undo:
        _one_more(bench, peer, n, directory)
    bench.database.run("CHECKPOINT")
    if peer.down_all:
        bench.measure("rollback all", n, peer.name, peer.down_all, directory)
        bench.expect(0)
    if peer.down_100 and n >= 100:
        if peer.down_all:
            bench.database.renew()
            bench.run(peer.up, directory)
        words = " && ".join([_shell(peer.down_100)] * peer.times)
        bench.measure("last 100", n, peer.name, ["sh", "-c", words], directory)
        bench.expect(n - 100)


def large(bench: Bench) -> None:
    """The same with many; plain Alembic's walks are measured once."""
    for number in range(bench.rounds):
        names = (OURS, "dbmate", PLAIN) if number == 0 else (OURS, "dbmate")
        bench.each(
            bench.peers(bench.large, names),
            lambda peer, first=number == 0: _large_round(bench, peer, first=first),
        )


def _large_round(bench: Bench, peer: Peer, *, first: bool) -> None:
    n = bench.large
    directory = _applied(bench, peer, n)
    for _ in range(bench.rounds if peer.name == PLAIN else 1):
        _one_more(bench, peer, n, directory)
    if peer.status and peer.name != PLAIN:
        bench.measure("status", n, peer.name, peer.status, directory)
    if first and peer.name in (OURS, PLAIN):
        ours = peer.name == OURS
        argv = alembic if ours else plain
        bench.measure("current", n, peer.name, argv("current"), directory)
        words = ("downgrade", "base", "--yes") if ours else ("downgrade", "base")
        bench.measure("downgrade base", n, peer.name, argv(*words), directory)
        bench.expect(0)


def generating(bench: Bench) -> None:
    """generate-down for many ups in one call, with proof and from the text alone."""
    bench.database.renew()
    directory = work.prepare(bench.place, work.write_pairs, 200)
    bench.run(alembic("upgrade", "head"), directory)
    kinds = {
        "generate, proven": (20, ("--state", "replay")),
        "generate, text": (200, ("--state", "none", "--no-prove")),
    }
    for _ in range(bench.rounds):
        for what, (many, words) in kinds.items():
            for number in (1, many):
                versions = [work.version(n) for n in range(1, number + 1)]
                argv = alembic("generate-down", "--force", *words, *versions)
                bench.measure(what, number, OURS, argv, directory)


SCENARIOS: dict[str, Callable[[Bench], None]] = {
    "import": imports,
    "start": starts,
    "small": small,
    "generate": generating,
    "large": large,
}


def _applied(bench: Bench, peer: Peer, number: int) -> Path:
    """Apply everything to an empty database; return the tool's directory."""
    directory = work.prepare(bench.place, peer.form, number)
    if peer.name in (OURS, PLAIN) and ("upgrade", number, peer.name) not in bench.samples:
        argv = alembic if peer.name == OURS else plain
        bench.run(argv("heads"), directory)  # writes the .pyc files
    bench.database.renew()
    bench.measure("upgrade", number, peer.name, peer.up, directory)
    bench.expect(number)
    return directory


def _one_more(bench: Bench, peer: Peer, number: int, directory: Path) -> None:
    bench.database.run(f"DROP TABLE {work.table(number)}", peer.undo)
    bench.measure("one more", number, peer.name, peer.up_one or peer.up, directory)
    bench.expect(number)


def _shell(argv: Command) -> str:
    import shlex

    return shlex.join(argv)
