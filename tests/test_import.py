"""What an application that merely imports Alembic pays for the plugin: a budget of modules."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection
from functools import cache

import pytest

OURS = {
    "alembic_rollback",
    "alembic_rollback.host",
    "alembic_rollback.host.seams",
    "alembic_rollback.plugin",
    "alembic_rollback.summaries",
}
HEAVY = ("click", "postgast", "google.protobuf", "psycopg2", "mako")
SHIM = """
import importlib.metadata, json, sys
found = importlib.metadata.entry_points
hidden = {hidden!r}
importlib.metadata.entry_points = lambda **asked: [
    point for point in found(**asked) if point.name != hidden
]
"""
REPORT = "\nprint(json.dumps(sorted(sys.modules)))"
VERSION = """
from alembic.config import CommandLine
try:
    CommandLine().main({argv!r})
except SystemExit:
    pass
"""
IMPORTS = ("import alembic", "import alembic.command", "import alembic.config")


@cache
def modules(code: str, *, plugin: bool = True) -> frozenset[str]:
    """The modules of a fresh process that has run the code."""
    shim = SHIM.format(hidden=None if plugin else "alembic_rollback")
    process = subprocess.run(
        [sys.executable, "-c", shim + code + REPORT], capture_output=True, text=True, timeout=60
    )
    assert process.returncode == 0, process.stderr
    return frozenset(json.loads(process.stdout.splitlines()[-1]))


def loaded(packages: Collection[str], found: Collection[str]) -> set[str]:
    return {
        package
        for package in packages
        if any(name == package or name.startswith(f"{package}.") for name in found)
    }


@pytest.mark.parametrize("code", IMPORTS)
def test_importing_alembic_adds_only_the_seams(code: str) -> None:
    added = modules(code) - modules(code, plugin=False)
    assert {name for name in added if name.startswith("alembic_rollback")} == OURS
    standard = modules("import wrapt")
    others = {name for name in added - OURS - standard if not loaded(["wrapt"], [name])}
    assert not others


@pytest.mark.parametrize("code", IMPORTS)
def test_importing_alembic_imports_nothing_heavy(code: str) -> None:
    added = modules(code) - modules(code, plugin=False)
    assert not loaded(HEAVY, added)
    # Alembic itself imports Mako for `alembic.command`; nobody imports the others.
    assert loaded(HEAVY, modules(code)) <= {"mako"}


@pytest.mark.parametrize("argv", [["--version"], ["--help"], ["upgrade", "--help"]])
def test_asking_alembic_about_itself_imports_nothing_heavy(argv: list[str]) -> None:
    code = VERSION.format(argv=argv)
    assert loaded(HEAVY, modules(code)) == loaded(HEAVY, modules(code, plugin=False))
    assert loaded(HEAVY, modules(code)) <= {"mako"}
