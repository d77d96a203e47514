"""How fast, beside other tools and beside the goals.

    python benchmarks/bench.py                    all of it, five rounds
    python benchmarks/bench.py --quick            one round with small numbers, while developing
    python benchmarks/bench.py --scenario small --rounds 3

Everything runs on one embedded server on tmpfs, everybody in turn within each round. Prints medians
of wall time and client CPU, the ratio to psql with a ledger, and each goal with whether it holds;
writes all samples as JSON. Exit code 1 where a goal doesn't hold.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from database import Database, started
from goals import Figures, Samples, Verdict, judge
from peers import FLOOR, HERE
from scenarios import SCENARIOS, Bench


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write."""
    options = _options(argv)
    began = time.monotonic()
    with started() as server, tempfile.TemporaryDirectory(dir=_memory()) as directory:
        database = Database(server)
        bench = Bench(
            database,
            Path(directory),
            options.tools.resolve(),
            small=100 if options.quick else 1000,
            large=1000 if options.quick else 10_000,
            rounds=options.rounds or (1 if options.quick else 5),
        )
        for name in options.scenario or SCENARIOS:
            print(f"{name} …", file=sys.stderr)
            SCENARIOS[name](bench)
        version = database.ask("SELECT version()")
    figures = Figures(bench.samples, bench.small, bench.large)
    verdicts = list(judge(figures))
    print("\n".join(_table(bench.samples)))
    print("\n".join(_goals(verdicts)))
    for name, why in bench.failed.items():
        print(f"FAILED {name}: {why}")
    print(f"{bench.rounds} rounds in {(time.monotonic() - began) / 60:.1f} min")
    options.json.write_text(json.dumps(_data(bench, verdicts, version), indent=1))
    print(f"written: {options.json}")
    return 1 if any(verdict.holds is False for verdict in verdicts) or bench.failed else 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="100 and 1,000 migrations, one round")
    parser.add_argument("--rounds", type=int, help="default 5; with --quick 1")
    parser.add_argument(
        "--scenario", action="append", choices=[*SCENARIOS], help="repeatable; default: all"
    )
    parser.add_argument("--json", type=Path, default=Path("bench.json"), help="%(default)s")
    parser.add_argument(
        "--tools",
        type=Path,
        default=HERE.parent / ".bench",
        help="where other tools are installed (%(default)s)",
    )
    return parser.parse_args(argv)


def _memory() -> str | None:
    """Where the files lie: in memory, too, if there is some."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _table(samples: Samples) -> list[str]:
    """A line for each thing and tool, with the ratio to the floor."""
    lines = [
        f"\n{'':18}{'n':>7} {'':20}{'wall s':>9}{'x floor':>9}{'CPU s':>8}{'MB':>6}{'runs':>6}"
    ]
    last = ("", 0)
    for (what, number, who), found in sorted(samples.items()):
        wall = median(sample.wall for sample in found)
        floor = samples.get((what, number, FLOOR))
        times = f"{wall / median(sample.wall for sample in floor):.2f}" if floor else ""
        cpu = median(sample.cpu for sample in found)
        memory = max(sample.memory for sample in found) / 1024
        head = f"{what:18}{number:7}" if (what, number) != last else " " * 25
        lines.append(f"{head} {who:20}{wall:9.3f}{times:>9}{cpu:8.2f}{memory:6.0f}{len(found):6}")
        last = (what, number)
    return lines


def _goals(verdicts: Sequence[Verdict]) -> list[str]:
    lines = [f"\n{'goal':42}{'figure':>12}{'at most':>12}  {'':8}"]
    words = {True: "holds", False: "MISSED", None: "-"}
    for one in verdicts:
        figure = "-" if one.figure is None else f"{one.figure:.3f} {one.unit}"
        most = "-" if one.most is None else f"{one.most:.3f} {one.unit}"
        lines.append(f"{one.goal:42}{figure:>12}{most:>12}  {words[one.holds]:8}{one.said}")
    return lines


def _data(bench: Bench, verdicts: Sequence[Verdict], version: str) -> dict[str, object]:
    return {
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "kernel": platform.release(),
            "server": version,
            "free_tmpfs_gb": round(shutil.disk_usage(_memory() or ".").free / 1024**3, 1),
        },
        "small": bench.small,
        "large": bench.large,
        "rounds": bench.rounds,
        "samples": [
            {"what": what, "n": number, "who": who, "runs": [one.data() for one in found]}
            for (what, number, who), found in bench.samples.items()
        ],
        "goals": [{**vars(one), "holds": one.holds} for one in verdicts],
        "failed": bench.failed,
    }


if __name__ == "__main__":
    sys.exit(main())
