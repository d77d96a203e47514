"""Run Alembic's own test suite with and without the plugin, and compare test by test.

    python tests/conformance/run.py [--alembic VERSION] [--sqlalchemy VERSION] [--keep]

The suite comes from the sdist on the package index. It runs on PostgreSQL (a server of our own)
and on SQLite, in two fresh virtual environments that differ by this package and what it brings.
Exit code 1: a test ends differently with the plugin, or a run was not what it claims to be.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from alembic_rollback import embedded

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
TOOLS = ("psycopg2-binary", "pytest<10", "black", "tzdata", "zimports")
"""What Alembic's suite needs beside Alembic and SQLAlchemy."""
DIFFERS = frozenset({"test_help_text"})
"""The help text lists our subcommands: the only test with a reason to differ."""
SCHEMAS = ("test_schema", "test_schema_2")
SQLITE = "sqlite:///:memory:"  # what Alembic's suite itself calls `sqlite`


class ConformanceError(RuntimeError):
    """A run could not be made, or was not what it claims to be."""


@dataclass(frozen=True)
class Run:
    """One run of the suite."""

    title: str
    python: Path
    dburi: str
    plugin: bool


@dataclass(frozen=True)
class Report:
    """What came of a run; see `observer`."""

    outcomes: dict[str, str]
    entry_points: list[str]
    modules: list[str]
    unpatched: list[str]
    unreached: list[str]

    @property
    def counts(self) -> str:
        """`2149 passed, 1 failed`."""
        return ", ".join(
            f"{n} {outcome}" for outcome, n in Counter(self.outcomes.values()).most_common()
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run everything; return the exit code."""
    options = _parser().parse_args(argv)
    with _workspace(keep=options.keep) as space:
        archive = _download(options.alembic, space)
        pins = [f"alembic=={options.alembic}", f"sqlalchemy=={options.sqlalchemy}"]
        plain, plugged = _environments(space, pins)
        print(f"{' '.join(pins)}, Python {sys.version.split()[0]}", flush=True)
        found = [
            _compare(*_run_both(archive, space, "postgresql", plain, plugged)),
            _compare(*_run_both(archive, space, "sqlite", plain, plugged)),
        ]
    return 1 if any(found) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--alembic", metavar="VERSION", default=version("alembic"))
    parser.add_argument("--sqlalchemy", metavar="VERSION", default=version("sqlalchemy"))
    parser.add_argument("--keep", action="store_true", help="keep the directory with the runs")
    return parser


@contextmanager
def _workspace(*, keep: bool) -> Iterator[Path]:
    space = Path(tempfile.mkdtemp(prefix="conformance-"))
    try:
        yield space
    finally:
        if keep:
            print(f"kept: {space}")
        else:
            shutil.rmtree(space, ignore_errors=True)


# --- what runs --------------------------------------------------------------------------------


def _download(alembic: str, space: Path) -> Path:
    # pip reads the metadata of an sdist by running its build backend, in an environment apart.
    options = ("--no-deps", "--no-binary", "alembic", "--dest", str(space))
    _pip(Path(sys.executable), "download", *options, f"alembic=={alembic}")
    (archive,) = space.glob("alembic-*.tar.gz")
    return archive


def _environments(space: Path, pins: Sequence[str]) -> tuple[Path, Path]:
    """Two interpreters: without this package and with it, the rest at the same versions."""
    plain, plugged = _environment(space / "without"), _environment(space / "with")
    _pip(plugged, "install", "--editable", str(PROJECT), *pins, *TOOLS)
    constraints = space / "constraints.txt"
    frozen = _pip(plugged, "freeze", "--exclude-editable")
    constraints.write_text(frozen, encoding="utf-8")
    _pip(plain, "install", "--constraint", str(constraints), *pins, *TOOLS)
    return plain, plugged


def _environment(directory: Path) -> Path:
    venv.create(directory, with_pip=True)
    return directory / ("Scripts" if os.name == "nt" else "bin") / "python"


def _pip(python: Path, command: str, *arguments: str) -> str:
    process = subprocess.run(
        [str(python), "-m", "pip", command, "--quiet", *arguments],
        capture_output=True,
        text=True,
        timeout=900,
    )
    if process.returncode:
        raise ConformanceError(f"pip {command} {' '.join(arguments)}:\n{process.stderr}")
    return process.stdout


# --- runs -------------------------------------------------------------------------------------


def _run_both(
    archive: Path, space: Path, database: str, plain: Path, plugged: Path
) -> tuple[Report, Report]:
    """Run the suite on a database without and with the plugin, both at once."""
    with _databases(database) as (one, other):
        runs = [
            Run(f"{database}-without", plain, one, plugin=False),
            Run(f"{database}-with", plugged, other, plugin=True),
        ]
        with ThreadPoolExecutor(len(runs)) as pool:
            reports = list(pool.map(lambda run: _run(archive, space, run), runs))
    for run, report in zip(runs, reports, strict=True):
        print(f"{run.title + ':':20} {report.counts}", flush=True)
        _check(run, report)
    return reports[0], reports[1]


@contextmanager
def _databases(database: str) -> Iterator[tuple[str, str]]:
    if database == "sqlite":
        yield SQLITE, SQLITE
        return
    with embedded.start() as server:
        for name in ("without", "with"):
            _create_database(server, name)
        yield server.url("without"), server.url("with")


def _create_database(server: embedded.Server, name: str) -> None:
    for database, statements in (
        ("postgres", [f'CREATE DATABASE "{name}"']),
        (name, [f"CREATE SCHEMA {schema}" for schema in SCHEMAS]),
    ):
        engine = create_engine(server.url(database), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        engine.dispose()


def _run(archive: Path, space: Path, run: Run) -> Report:
    """Run the suite in a tree of its own: its tests write into the working directory."""
    target = space / run.title
    with tarfile.open(archive) as tar:
        tar.extractall(target, filter="data")
    (root,) = target.iterdir()
    path = target / "report.json"
    log = target / "pytest.log"
    # `--option=value`: otherwise a value can be taken for a path and decide the root directory.
    options = [f"--dburi={run.dburi}", "--maxfail=0", "-p", "observer", "-p", "no:cacheprovider"]
    with log.open("w", encoding="utf-8") as stream:
        ended = subprocess.run(
            [str(run.python), "-m", "pytest", "tests", *options],
            cwd=root,
            env=_variables(path),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            timeout=1800,
        )
    if ended.returncode not in (0, 1) or not path.exists():  # 1: some tests failed
        end = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
        raise ConformanceError(f"{run.title}: pytest ended with {ended.returncode}:\n{end}")
    return Report(**json.loads(path.read_text(encoding="utf-8")))


def _variables(report: Path) -> dict[str, str]:
    drop = ("PYTEST_", "PG", "PYTHON", "ALEMBIC_", "COLUMNS", "FORCE_COLOR", "NO_COLOR")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(drop)}
    return {**inherited, "PYTHONPATH": str(HERE), "CONFORMANCE_REPORT": str(report)}


def _check(run: Run, report: Report) -> None:
    """A comparison of a run with itself would always succeed. Raises ConformanceError."""
    faults: list[tuple[str, Any]] = [("no tests", not report.outcomes)]
    if run.plugin:
        faults += [
            ("the plugin is not loaded", not (report.entry_points and report.modules)),
            ("seams are not patched", report.unpatched),
            ("no test came through the seams of", report.unreached),
        ]
    else:
        faults.append(("the plugin is loaded", report.entry_points or report.modules))
    for fault, there in faults:
        if there:
            raise ConformanceError(f"{run.title}: {fault}: {there}")


# --- the comparison ---------------------------------------------------------------------------


def _compare(plain: Report, plugged: Report) -> list[str]:
    """Print every test that ends differently; return those with no reason to."""
    differing = [
        test
        for test in sorted(plain.outcomes.keys() | plugged.outcomes.keys())
        if plain.outcomes.get(test) != plugged.outcomes.get(test)
    ]
    unexpected = [test for test in differing if not _may_differ(test)]
    _print_differences(differing, unexpected, plain, plugged)
    return unexpected


def _may_differ(test: str) -> bool:
    return test.split("::")[-1].split("[")[0] in DIFFERS


def _print_differences(
    differing: Iterable[str], unexpected: Sequence[str], plain: Report, plugged: Report
) -> None:
    for test in differing:
        note = "" if test in unexpected else " (expected)"
        before, after = (report.outcomes.get(test, "not run") for report in (plain, plugged))
        print(f"  {test}: {before} without, {after} with the plugin{note}")
    print(f"  {len(unexpected)} unexpected differences", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ConformanceError as error:
        sys.exit(str(error))
