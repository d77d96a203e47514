"""The harness as a program: every case, some of each scenario, or one to look at closely."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.crash.harness import KINDS, Report, Wanted, perform
from tests.crash.scenarios import QUICK, SCENARIOS, Scenario
from tests.forking import import_everything, share_what_is_there


def main(argv: Sequence[str] | None = None) -> int:
    """Run it; 1 if anything was wrong."""
    options = _options(argv)
    wanted = Wanted(tuple(options.kind), options.boundary, options.middles, options.limit)
    scenarios = [one for one in SCENARIOS if _is_wanted(one, options)]
    import_everything()
    share_what_is_there()
    started, reports = time.monotonic(), []
    for report in _performed(scenarios, wanted, options.jobs):
        reports.append(report)
        _tell(report, options.verbose)
    _sum_up(reports, time.monotonic() - started)
    return 1 if any(report.problems for report in reports) else 0


def _is_wanted(scenario: Scenario, options: argparse.Namespace) -> bool:
    named = not options.only or scenario.name in options.only
    return named and (scenario.name in QUICK or not options.quick)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--only", action="append", metavar="SCENARIO", help="this one; repeatable")
    parser.add_argument("--quick", action="store_true", help="some of the scenarios only")
    parser.add_argument("--kind", action="append", default=[], choices=(*KINDS, "orphan"))
    parser.add_argument("--boundary", type=int, default=0, metavar="N")
    parser.add_argument("--middles", action="store_true", help="only inside of statements")
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="cases of each scenario")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("-v", "--verbose", action="store_true", help="every problem in full")
    return parser.parse_args(argv)


def _performed(scenarios: Sequence[Scenario], wanted: Wanted, jobs: int) -> Iterator[Report]:
    """Each scenario in a process forked off this one, which has imported everything."""
    waiting, running = list(scenarios), {}
    with TemporaryDirectory(prefix="crash-reports-") as directory:
        while waiting or running:
            while waiting and len(running) < jobs:
                scenario = waiting.pop(0)
                path = Path(directory, scenario.name)
                running[_forked(scenario, wanted, path)] = path
            pid, _ = os.wait()
            yield _read(running.pop(pid))


def _forked(scenario: Scenario, wanted: Wanted, path: Path) -> int:
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        try:
            path.write_text(json.dumps(asdict(perform(scenario, wanted))))
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)
    return pid


def _read(path: Path) -> Report:
    if path.exists():
        return Report(**json.loads(path.read_text()))
    problem = {"case": "", "problem": "the harness itself has failed", "said": ""}
    return Report(path.name, problems=[problem])


def _tell(report: Report, verbose: bool) -> None:
    if report.skipped:
        print(f"{report.name:28} SKIPPED: {report.skipped}", flush=True)
        return
    kinds = " ".join(f"{kind} {report.run.get(kind, 0)}" for kind in (*KINDS, "orphan"))
    bad = len({one["case"] for one in report.problems})
    print(
        f"{report.name:28} {report.boundaries:3} boundaries, {sum(report.run.values())} of "
        f"{report.cases} cases ({kinds}), {report.partial} partial, {bad} failed",
        flush=True,
    )
    if verbose:
        for one in report.problems:
            print(f"  {one['case']}\n    {one['problem']}\n" + _indented(one["said"]))
        return
    grouped = Counter(one["problem"] for one in report.problems)
    for problem, count in grouped.most_common(12):
        case = next(one["case"] for one in report.problems if one["problem"] == problem)
        print(f"  {count} × {problem}\n      first: {case}")


def _indented(text: str) -> str:
    return "\n".join(f"    | {line}" for line in text.splitlines())


def _sum_up(reports: Sequence[Report], seconds: float) -> None:
    boundaries = sum(report.boundaries for report in reports)
    run = sum(sum(report.run.values()) for report in reports)
    cases = sum(report.cases for report in reports)
    failed = sum(len({one["case"] for one in report.problems}) for report in reports)
    print(
        f"{boundaries} boundaries of {len(reports)} scenarios; {run} of {cases} cases run, "
        f"{failed} failed, {seconds:.0f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
