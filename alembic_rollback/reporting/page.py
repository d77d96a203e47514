"""A dry run as one self-contained HTML page, for a change ticket."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from alembic_rollback import __version__
from alembic_rollback.errors import shown_path
from alembic_rollback.reporting.drawing import svg, trees
from alembic_rollback.reporting.text import step_lines, undoing

if TYPE_CHECKING:
    from alembic_rollback.model import Finding, Rollback, StepImpact, TableLoss


@dataclass(frozen=True)
class _Step:
    title: str
    path: str
    lines: tuple[str, ...]
    sql: str | None
    """None for a `.py` revision of which no SQL is known."""


@dataclass(frozen=True)
class _Database:
    name: str
    harm: str
    notes: tuple[str, ...]
    drawing: str
    tables: tuple[tuple[str, str, str], ...]
    findings: tuple[Finding, ...]
    later: tuple[str, ...]
    steps: tuple[_Step, ...]


@dataclass(frozen=True)
class _Page:
    title: str
    made: str
    version: str
    command: str
    databases: tuple[_Database, ...]


def page(rollbacks: Sequence[Rollback], made: datetime, command: str) -> str:
    """The page. command: what runs exactly this; empty where a check refuses it."""
    from mako.template import Template

    titles = [step.title for one in rollbacks for step in one.plan.steps]
    first = titles[0] if titles else "nothing"
    title = f"Rollback of {first if len(titles) < 2 else f'{len(titles)} revisions'}"
    source = files("alembic_rollback.reporting").joinpath("page.html.mako")
    template = Template(source.read_text(encoding="utf-8"), strict_undefined=True)
    found = _Page(
        title,
        made.isoformat(timespec="seconds"),
        __version__,
        command,
        tuple(map(_database, rollbacks)),
    )
    return str(template.render(page=found))


def _database(one: Rollback) -> _Database:
    titles = ", ".join(step.title for step in one.plan.steps)
    harmless = "Nothing that is known of is destroyed."
    return _Database(
        one.database,
        undoing([one]) if one.impact.destructive else harmless,
        one.notes,
        svg(trees(one.impact), f"What the rollback of {titles} takes"),
        tuple(_losses(one)),
        one.findings,
        tuple(revision.title for revision in one.plan.later),
        tuple(_step(one, step) for step in one.impact.steps),
    )


def _losses(one: Rollback) -> Iterator[tuple[str, str, str]]:
    for step in one.impact.steps:
        for loss in step.tables:
            yield loss.name, f"values of {loss.column}" if loss.column else "rows", _number(loss)


def _number(loss: TableLoss) -> str:
    if loss.rows is None:
        return "unknown"
    return str(loss.rows) if loss.exact else f"about {loss.rows}"


def _step(one: Rollback, step: StepImpact) -> _Step:
    script: Any = one.scripts.get(step.revision.version)
    sql = None if script is None else "\n\n".join(f"{s.text};" for s in script.statements)
    path = script.path if script is not None else step.revision.path
    told = (f"{o.where}: {o.problem}" for o in step.obstacles)
    return _Step(step.revision.title, shown_path(path), (*step_lines(step), *told), sql)
