"""A pytest plugin (`-p observer`): each test's outcome, and whether the seams are patched.

It runs inside the suite of Alembic, with the package in question or without it: it imports neither.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

REPORT = "CONFORMANCE_REPORT"
"""The environment variable with the path of the report."""
_OUTCOMES: dict[str, str] = {}


def pytest_runtest_logreport(report: Any) -> None:
    """Note what decides: the call, or a setup or teardown that did not just pass."""
    if report.when == "call" or report.outcome != "passed":
        _OUTCOMES[report.nodeid] = _outcome(report)


def pytest_sessionfinish() -> None:
    """Write the report."""
    found = {
        "outcomes": _OUTCOMES,
        "entry_points": [point.name for point in entry_points(group="alembic.plugins")],
        "modules": sorted(name for name in sys.modules if name.startswith("alembic_rollback")),
        "unpatched": _unpatched(),
        "unreached": _unreached(),
    }
    Path(os.environ[REPORT]).write_text(json.dumps(found), encoding="utf-8")


def _outcome(report: Any) -> str:
    if hasattr(report, "wasxfail"):
        return "xfailed" if report.skipped else "xpassed"
    if report.outcome == "failed" and report.when != "call":
        return f"error in {report.when}"
    return str(report.outcome)


def _seams() -> tuple[Any, ...]:
    seams = sys.modules.get("alembic_rollback.host.seams")
    return seams.SEAMS if seams else ()


def _unpatched() -> list[str]:
    """The seams that Alembic's function is still alone at."""
    return [seam.target for seam in _seams() if not _wrapped(seam.module, seam.target)]


def _wrapped(module: str, target: str) -> bool:
    owner, name = target.split(".")
    # Read from the class's own dictionary: a wrapper binds like the function that it wraps.
    return hasattr(vars(getattr(import_module(module), owner))[name], "_self_wrapper")


def _unreached() -> list[str]:
    """The handlers that no test of the suite has come through: their module is loaded lazily."""
    rooms = {seam.handler.split(":")[0] for seam in _seams()}
    return sorted(room for room in rooms if f"alembic_rollback.host.{room}" not in sys.modules)
