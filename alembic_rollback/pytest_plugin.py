"""The entry point `pytest11`: what pytest loads in every project that has this package installed.

So it imports nothing but pytest: everything else comes with `--alembic-rollback`, or with a test
that uses one of the fixtures.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from alembic_rollback.testing import MigrationProject, ScratchProject, Tests

PREFIX = "alembic-rollback"
"""What the ids of our items begin with: `alembic-rollback::20260112_001_create_orders`."""
_TESTS: pytest.StashKey[Tests] = pytest.StashKey()

# Name, type in an ini file, and what is said of it.
_INI: tuple[tuple[str, Any, str], ...] = (
    ("config", "string", "Alembic's configuration file, relative to the root directory"),
    ("name", "string", "the section of the configuration file, as alembic -n"),
    ("scratch_url", "string", "a server to make scratch databases on; else an embedded one"),
    ("metadata", "linelist", "the models: package.module:Base.metadata; modules to import first"),
    ("models", "string", "the package whose modules must all be known to the metadata"),
    ("options", "string", "package.module:NAME of what env.py gives to context.configure()"),
    ("rows", "string", "how many rows each table gets before an up (3)"),
    ("above", "string", "only test the revisions that came after this one"),
    ("strict", "bool", "fail for columns in another order, and for any row that is lost or new"),
    ("skip", "linelist", "revisions that need not be restored: VERSION and the reason"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, each with a setting of the same name."""
    group = parser.getgroup(PREFIX, "alembic-rollback: do the downs of all revisions work?")
    group.addoption(
        "--alembic-rollback",
        action="store_true",
        default=None,
        help="Test every revision of the project: up, down, up; one test a revision.",
    )
    group.addoption(
        "--alembic-rollback-only",
        action="store_true",
        help="The same, and no other tests.",
    )
    parser.addini("alembic_rollback", "always as with --alembic-rollback", "bool", default=False)
    group.addoption(
        "--alembic-rollback-selected", action="append", default=[], help=argparse.SUPPRESS
    )
    for name, kind, what in _INI:
        option: dict[str, Any] = {"default": None, "help": f"{what[0].upper()}{what[1:]}."}
        if kind == "bool":
            option["action"] = "store_true"
        else:
            option["metavar"] = name.upper()
            option["action"] = "append" if kind == "linelist" else "store"
        group.addoption(f"--alembic-rollback-{name.replace('_', '-')}", **option)
        parser.addini(f"alembic_rollback_{name}", what, kind, default=_default(kind))


def _default(kind: str) -> Any:
    return {"bool": False, "linelist": []}.get(kind, "")


def option(config: pytest.Config, name: str) -> Any:
    """What the command line says, else the ini file."""
    given = getattr(config.option, f"alembic_rollback_{name}")
    return config.getini(f"alembic_rollback_{name}") if given is None else given


def is_wanted(config: pytest.Config) -> bool:
    """Whether our items are asked for."""
    options = config.option
    asked = options.alembic_rollback or options.alembic_rollback_only
    return bool(asked or config.getini("alembic_rollback"))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Take the ids of our items off the arguments: no file has them."""
    config.addinivalue_line("markers", "alembic_rollback: a test of --alembic-rollback.")
    if not is_wanted(config):
        return
    selected = [one for one in config.args if one.startswith(f"{PREFIX}::")]
    config.option.alembic_rollback_selected += selected
    if config.option.alembic_rollback_only or selected:
        kept = () if config.option.alembic_rollback_only else config.args
        config.args = [one for one in kept if one not in selected]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Read the project: what is wrong with its configuration ends the run here."""
    if is_wanted(session.config):
        _tests(session.config).read()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add our items before others choose among all of them."""
    if is_wanted(config):
        from alembic_rollback.testing.items import collected

        items += collected(session, _tests(config), config.option.alembic_rollback_selected)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tell what passes and is worth knowing."""
    told = [
        (report.head_line, value)
        for report in terminalreporter.stats.get("passed", ())
        for name, value in report.user_properties
        if name == "alembic_rollback"
    ]
    if told:
        terminalreporter.section(PREFIX)
        for title, line in told:
            terminalreporter.write_line(f"{title}: {line}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remove what was made."""
    tests = session.config.stash.get(_TESTS, None)
    if tests is not None:
        tests.close()


def _tests(config: pytest.Config) -> Tests:
    if _TESTS not in config.stash:
        from alembic_rollback.testing import Tests

        config.stash[_TESTS] = Tests(config, option)
    return config.stash[_TESTS]


@pytest.fixture(scope="session")
def migration_project(pytestconfig: pytest.Config) -> MigrationProject:
    """The project's revisions, as alembic.ini or --alembic-rollback-config says."""
    return _tests(pytestconfig).project


@pytest.fixture
def scratch_database(
    migration_project: MigrationProject, pytestconfig: pytest.Config
) -> Iterator[ScratchProject]:
    """An empty PostgreSQL database to run revisions on, removed after the test."""
    with _tests(pytestconfig).scratch() as database:
        yield database
