"""What `import alembic` costs with the plugin installed, against the same without it.

    python benchmarks/bench_import.py [--rounds 40] [--limit 0.05]

Fresh processes, one with and one without in turn, so that a busy machine slows both: trust the
ratio, not the times. Exit code 1 when the median of the pairs' CPU ratios is above the limit.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

# Both sides ask for the entry points through the same filter; only one finds ours in it.
CODE = """
import importlib.metadata, json, sys
from time import perf_counter, process_time

found = importlib.metadata.entry_points
hidden = sys.argv[1]
importlib.metadata.entry_points = lambda **asked: [
    point for point in found(**asked) if point.name != hidden
]
wall, cpu = perf_counter(), process_time()
import alembic
wall, cpu = perf_counter() - wall, process_time() - cpu
assert ("alembic_rollback" in sys.modules) != (hidden == "alembic_rollback")
print(json.dumps([wall * 1000, cpu * 1000, sorted(sys.modules)]))
"""
MODES = {"without": "alembic_rollback", "with": "nothing"}


@dataclass(frozen=True)
class Sample:
    """One import, in milliseconds."""

    wall: float
    cpu: float
    modules: frozenset[str]


def measure(mode: str) -> Sample:
    """Import Alembic in a fresh process."""
    process = subprocess.run(
        [sys.executable, "-c", CODE, MODES[mode]], capture_output=True, text=True, check=True
    )
    wall, cpu, modules = json.loads(process.stdout)
    return Sample(wall, cpu, frozenset(modules))


def measure_all(rounds: int) -> dict[str, list[Sample]]:
    """Measure both in turn; who begins alternates, too."""
    samples: dict[str, list[Sample]] = {mode: [] for mode in MODES}
    for mode in MODES:
        measure(mode)  # writes the .pyc files
    for number in range(rounds):
        for mode in sorted(MODES, reverse=bool(number % 2)):
            samples[mode].append(measure(mode))
    return samples


def report(samples: dict[str, list[Sample]]) -> float:
    """Print the table; return the median of the ratios of neighbours, in CPU time."""
    print(f"{'import alembic':24}{'without':>10}{'with':>10}{'more':>9}")
    for kind in ("wall", "cpu"):
        for name, figure in (("median", median), ("minimum", min)):
            one, other = (
                figure([getattr(sample, kind) for sample in samples[mode]])
                for mode in ("without", "with")
            )
            print(f"{kind + ' ms, ' + name:24}{one:10.1f}{other:10.1f}{other / one - 1:+9.1%}")
    added = sorted(samples["with"][0].modules - samples["without"][0].modules)
    print(f"\n{len(added)} modules added to {len(samples['without'][0].modules)}:")
    print("\n".join(f"  {name}" for name in added))
    pairs = zip(samples["without"], samples["with"], strict=True)
    return median(plugged.cpu / without.cpu for without, plugged in pairs)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, compare with the limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40, help="processes of each kind")
    parser.add_argument("--limit", type=float, default=0.05, help="allowed ratio, 0.05 for 5 %%")
    options = parser.parse_args(argv)
    ratio = report(measure_all(options.rounds)) - 1
    within = ratio < options.limit
    print(
        f"\nmedian of the pairs {ratio:+.1%}: {'within' if within else 'above'} {options.limit:.0%}"
    )
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
