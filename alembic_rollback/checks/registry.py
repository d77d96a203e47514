"""Which checks there are, and what they say about a plan.

A built-in check is a file of `rules/`; other packages bring theirs through the entry-point group
`alembic_rollback.checks`: the name is the check's id, the object a function `check(subject)`, which
may have an attribute `level` (its default, `warn` without).
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from alembic_rollback.errors import UsageError
from alembic_rollback.model import Finding
from alembic_rollback.settings import CHECKS_GROUP, DEFAULT_LEVELS, LEVELS

if TYPE_CHECKING:
    from alembic_rollback.checks.subject import Subject

RECHECKED = ("data_loss", "dependants")
"""Asked again under the lock: what they say depends on what others write in the meantime."""


def findings(subject: Subject, only: tuple[str, ...] | None = None) -> tuple[Finding, ...]:
    """What every check that isn't off says, the worst first.

    only: these and no others. A check that fails itself blocks the plan, by its name.
    """
    found = [
        finding
        for name, level, load in _checks(subject, only)
        if level != "off" and (only is None or name in only)
        for finding in _run(name, level, load, subject)
    ]
    return tuple(sorted(found, key=lambda finding: -LEVELS.index(finding.level)))


def _checks(subject: Subject, only: tuple[str, ...] | None) -> Iterator[tuple[str, str, Any]]:
    for name in sorted(DEFAULT_LEVELS):
        yield name, subject.settings.level_of(name), _built_in(name)
    if only is not None and DEFAULT_LEVELS.keys() >= set(only):
        return  # looking through the installed packages takes longer than these checks do
    seen: set[str] = set()
    for entry in sorted(entry_points(group=CHECKS_GROUP), key=lambda entry: entry.name):
        if entry.name in DEFAULT_LEVELS or entry.name in seen:
            raise UsageError(
                f"There are two checks called {entry.name}.",
                next_step=f"One comes from {entry.value}; remove it or rename it.",
            )
        seen.add(entry.name)
        if subject.settings.safety_checks.get(entry.name) != "off":
            yield entry.name, "", entry


def _built_in(name: str) -> Any:
    return lambda: import_module(f"alembic_rollback.checks.rules.{name}").check


def _run(name: str, level: str, load: Any, subject: Subject) -> Iterator[Finding]:
    savepoint = subject.connection.begin_nested()
    try:
        check = load.load() if isinstance(load, EntryPoint) else load()
        level = level or subject.settings.level_of(name, str(getattr(check, "level", "warn")))
        if level not in LEVELS:
            raise ValueError(f"level {level!r} is not one of {', '.join(LEVELS)}")
        for said in list(check(subject)):
            yield Finding(name, level, said.message, said.next_step)
    except UsageError:
        raise
    except Exception as error:
        if getattr(error, "connection_invalidated", False):
            raise  # no fault of the check's
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        yield Finding(
            name,
            "block",
            f"The check {name} failed itself: {type(error).__name__}: {first}",
            f"Repair it, or leave it out: {name} = off.",
        )
    finally:
        savepoint.rollback()
