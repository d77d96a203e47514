"""What a person or a pipeline has agreed to, as a hash: the same plan on the same database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alembic_rollback.model import Impact, Plan, StepImpact
    from alembic_rollback.sql.script import Script


def digest(parts: Iterable[object]) -> str:
    """One hash over what `content` gives for each database."""
    text = json.dumps(list(parts), sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def content(
    identity: tuple[object, ...], plan: Plan, impact: Impact, scripts: Mapping[str, Script | None]
) -> dict[str, Any]:
    """Everything that must still be so when a plan runs: database, steps, files and impact.

    Estimates are left out, for they change by themselves; that they are estimates is not.
    """
    return {
        "database": list(identity),
        "steps": [
            [step.version, _file(step.path), text_of(scripts[step.version])] for step in plan.steps
        ],
        "impact": [step_content(step) for step in impact.steps],
        "foreign_keys": list(impact.referenced_by),
    }


def step_content(step: StepImpact) -> list[Any]:
    """What one step takes, with the numbers that are exact."""
    return [
        step.revision.version,
        [[t.name, t.column, t.rows if t.exact else "~"] for t in step.tables],
        sorted([one.kind, one.name, one.action, one.how] for one in step.objects),
        list(step.unknown),
        [obstacle.problem for obstacle in step.obstacles],
    ]


def text_of(script: Script | None) -> list[str]:
    """The statements as they will run; empty where they cannot be read beforehand."""
    return [statement.text for statement in script.statements] if script else []


def _file(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
