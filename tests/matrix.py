"""Which versions are tried, with which tests, and what came of it.

    python -m tests.matrix

writes what the sessions of `noxfile.py` have left in `.nox/matrix` into `tests/matrix.json` and,
as a table, into the README. Only the standard library is imported: nox need not have the package.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / ".nox" / "matrix"
RECORD = ROOT / "tests" / "matrix.json"
README = ROOT / "README.md"
BEGIN, END = "<!-- matrix: written by `make matrix` -->", "<!-- /matrix -->"

PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
ALEMBICS = ("==1.18.0", "~=1.18.0", "~=1.19.0", "~=1.20.0")
SQLALCHEMIES = ("==2.0.0", "~=2.0.1", "~=2.1.0")
POSTGRESQLS = ("14", "15", "16", "17", "18")
OLD_SQLALCHEMY_ENDS_WITH = "3.12"
"""The newest Python in which SQLAlchemy 2.0.0 can be imported."""
NEW_SQLALCHEMY_BEGINS_WITH = "3.11"
"""The oldest Python that SQLAlchemy 2.1 admits: below it, 2.0 is the newest."""

EVERYWHERE = {
    "tests/test_seams.py": (),
    "tests/test_ledger.py": (
        "test_the_ledger_is_exactly_as_documented",
        "test_the_log_is_exactly_as_documented",
        "test_adding_writes_ledger_and_log",
        "test_the_offline_sql_makes_the_same_rows",
    ),
    "tests/test_rendering.py": (
        "test_rendered",
        "test_rendering_inside_a_running_migration",
        "test_existing_connections_are_refused",
        "test_what_is_rendered_is_what_runs",
    ),
    "tests/test_upgrade.py": (
        "test_offline_sql_makes_the_same_database",
        "test_a_failing_up_is_placed_and_undone",
        "test_what_ran_outside_a_transaction_is_recorded_though_the_next_step_fails",
    ),
    "tests/test_rollback_db.py": (
        "test_what_was_taken_from_the_middle_is_pending_and_applied_again",
        "test_one_transaction_where_env_has_one_for_each",
        "test_a_part_way_stop_outside_a_transaction_says_where",
    ),
    "tests/ecosystem/test_env_py.py": (
        "test_up_status_a_down_that_fails_and_down[generic_with_psycopg]",
        "test_up_status_a_down_that_fails_and_down[pyproject_async]",
        "test_up_status_a_down_that_fails_and_down[multidb]",
        "test_up_status_a_down_that_fails_and_down[a_program_that_lends_its_connection]",
        "test_what_a_py_takes_is_shown_in_the_schema_that_env_py_translates_to",
    ),
}
"""What is run in every cell; of a file without names, all of it."""
OF_POSTGRESQL = {
    "tests/test_fingerprint.py": (
        "test_neither_oids_nor_order_count",
        "test_every_catalog_is_on_the_page",
    ),
    "tests/test_facts_families.py": (
        "test_extension_made_again_elsewhere",
        "test_names_follow_search_path",
        "test_read_by_somebody_else",
        "test_renamed",
    ),
}
"""In addition, where the server is an older one."""


@dataclass(frozen=True)
class Cell:
    """One combination: versions of Python and PostgreSQL, requirements of the packages."""

    varied: str
    """What isn't the newest: `nothing`, `Python`, …, `everything`."""
    python: str
    alembic: str = ALEMBICS[-1]
    sqlalchemy: str = SQLALCHEMIES[-1]
    postgresql: str = POSTGRESQLS[-1]

    @property
    def id(self) -> str:
        """For nox's `-k`, and the name of its result."""
        return (
            f"py{self.python} alembic{self.alembic} sqlalchemy{self.sqlalchemy} pg{self.postgresql}"
        )

    @property
    def tests(self) -> Iterator[str]:
        """What is run, as pytest takes it."""
        older = self.postgresql != POSTGRESQLS[-1]
        for file, names in (EVERYWHERE | OF_POSTGRESQL if older else EVERYWHERE).items():
            yield from (f"{file}::{name}" for name in names) if names else (file,)


@dataclass(frozen=True)
class Result:
    """What came of a cell: the versions that it had in fact, and counts of tests."""

    varied: str
    python: str
    alembic: str
    sqlalchemy: str
    postgresql: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    missing: str = ""
    """Why it was not run."""


def cells() -> Iterator[Cell]:
    """Each axis against the newest of the others, and the oldest of everything."""
    newest = next((one for one in reversed(PYTHONS) if interpreter(one)), PYTHONS[-1])
    yield Cell("nothing", newest)
    for python in PYTHONS:
        if python != newest:
            old = python < NEW_SQLALCHEMY_BEGINS_WITH
            yield Cell("Python", python, sqlalchemy=SQLALCHEMIES[-2 if old else -1])
    for alembic in ALEMBICS[:-1]:
        yield Cell("Alembic", newest, alembic=alembic)
    for sqlalchemy in SQLALCHEMIES[:-1]:
        old = sqlalchemy == SQLALCHEMIES[0]
        python = min(newest, OLD_SQLALCHEMY_ENDS_WITH) if old else newest
        yield Cell("SQLAlchemy", python, sqlalchemy=sqlalchemy)
    for postgresql in POSTGRESQLS[:-1]:
        yield Cell("PostgreSQL", newest, postgresql=postgresql)
    yield Cell("everything", PYTHONS[0], ALEMBICS[0], SQLALCHEMIES[0], POSTGRESQLS[0])


@cache
def interpreter(version: str) -> str | None:
    """An interpreter of that version: on PATH, or one of pyenv's; None if there is none."""
    name = f"python{version}"
    kept = sorted(Path("~/.pyenv/versions").expanduser().glob(f"{version}.*/bin/{name}"))
    for found in (shutil.which(name), *map(str, kept)):
        if found and _runs(found, version):
            return found
    return None


def _runs(path: str, version: str) -> bool:
    """Pyenv puts a program on PATH for each version that it knows, chosen or not."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([path, "-c", code], capture_output=True, text=True)
    return done.stdout.strip() == version


def keep(cell: Cell, result: Result) -> None:
    """Leave a session's result for `collect`."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{cell.id}.json").write_text(json.dumps(asdict(result)))


def collected() -> list[Result]:
    """The results of all cells; of those without one, that they are missing."""
    found = []
    for cell in cells():
        file = RESULTS / f"{cell.id}.json"
        if file.exists():
            found.append(Result(**json.loads(file.read_text())))
            continue
        why = "not run" if interpreter(cell.python) else f"no Python {cell.python}"
        asked = (cell.python, cell.alembic, cell.sqlalchemy, cell.postgresql)
        found.append(Result(cell.varied, *asked, missing=why))
    return found


def recorded() -> list[Result]:
    """The results of the last `make matrix`."""
    return [Result(**one) for one in json.loads(RECORD.read_text())]


def table(results: Sequence[Result]) -> Iterator[str]:
    """The results as lines of Markdown."""
    yield "| older than the newest | Python | Alembic | SQLAlchemy | PostgreSQL | tests |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for one in results:
        versions = (one.python, one.alembic, one.sqlalchemy, one.postgresql)
        yield f"| {' | '.join((one.varied, *versions, _outcome(one)))} |"


def _outcome(one: Result) -> str:
    if one.missing:
        return f"missing: {one.missing}"
    counts = ((one.failed, "failed"), (one.passed, "passed"), (one.skipped, "skipped"))
    return ", ".join(f"{count} {what}" for count, what in counts if count)


def main() -> int:
    """Record what nox has left, and show it; 1 if a test failed."""
    results = collected()
    RECORD.write_text(json.dumps([asdict(one) for one in results], indent=1) + "\n")
    before, _, rest = README.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    shown = "\n".join(table(results))
    README.write_text(f"{before}{BEGIN}\n{shown}\n{END}{after}")
    print(shown)
    return int(any(one.failed for one in results))


if __name__ == "__main__":
    sys.exit(main())
