"""The tests of a whole project. Each raises what pytest.fail or pytest.skip raise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import pytest

from alembic_rollback.errors import shown_path
from alembic_rollback.reporting.testing import returned_lines, trouble_lines
from alembic_rollback.testing.models import Models, missing, unregistered

if TYPE_CHECKING:
    from alembic_rollback.testing.project import MigrationProject
    from alembic_rollback.verification import Verifier


@dataclass(frozen=True)
class Subject:
    """What a test may look at."""

    project: MigrationProject
    verifier: Callable[[], Verifier]
    kept: frozenset[str]
    """Versions that cannot or need not be taken back."""


def fail(lines: Iterable[str] | str) -> NoReturn:
    """End a test with a text of ours, without a traceback."""
    pytest.fail(lines if isinstance(lines, str) else "\n".join(lines), pytrace=False)


def single_head(subject: Subject) -> None:
    """Nothing was merged without `alembic merge`."""
    project = subject.project
    if len(project.heads) > 1:
        heads = [project.revisions[version] for version in project.heads]
        fail(
            (
                f"there are {len(heads)} heads:",
                *(f"- {one.title} ({shown_path(one.path)})" for one in heads),
                "`alembic merge heads` joins them. Where they are meant: "
                "alembic_rollback_skip = single_head REASON",
            )
        )


def upgrade(subject: Subject) -> None:
    """An empty database can be brought to the heads."""
    failures = subject.verifier().finish()
    if failures:
        fail(trouble_lines(failures))


def models_match(subject: Subject) -> None:
    """`alembic revision --autogenerate` finds nothing to do."""
    models = _models(subject.project)
    verifier = subject.verifier()
    _require_whole(verifier)
    with verifier.at_heads() as connection:
        text = missing(connection, models, subject.project.opts)
    if text:
        fail(
            "the models are not what the revisions make; `alembic revision --autogenerate` would "
            f"write:\n{text}"
        )


def models_registered(subject: Subject) -> None:
    """Autogenerate sees every model."""
    models = _models(subject.project)
    if not models.package:
        pytest.skip(
            "it isn't known where the models are: --alembic-rollback-models PACKAGE says so"
        )
    found, why = unregistered(models)
    if why:
        fail(why)
    if found:
        specs = ", ".join(models.specs)
        fail(
            (
                f"importing {specs} doesn't bring all tables; autogenerate would not see, or drop:",
                *(f"- {table} ({module})" for table, module in found.items()),
                "Import these modules there, or name them in alembic_rollback_metadata if env.py "
                "imports them.",
            )
        )


def downgrade_to_base(subject: Subject) -> None:
    """The whole way back in one go, and forward again."""
    verifier = subject.verifier()
    _require_whole(verifier)
    failed = [one for one in verifier.known.values() if not one.passes(strict=False)]
    if failed:
        pytest.skip(f"downs that fail by themselves: {len(failed)}")
    if not subject.project.revisions.keys() - subject.project.history.graph.cov(subject.kept):
        pytest.skip("no revision is to be taken back")
    lines = list(returned_lines(verifier.down_and_up(subject.kept)))
    if lines:
        fail(lines)


def _models(project: MigrationProject) -> Models:
    if project.models is None:
        pytest.skip("no models are named: --alembic-rollback-metadata package.module:Base.metadata")
    return project.models


def _require_whole(verifier: Verifier) -> None:
    failures = verifier.finish()
    if failures:
        pytest.skip(f"{failures[0].revision.title} cannot be applied")


CHECKS: Mapping[str, Callable[[Subject], None]] = {
    check.__name__: check
    for check in (single_head, upgrade, models_match, models_registered, downgrade_to_base)
}
"""By the name that `alembic_rollback_skip` knows; in this order, the first one before and the
others after the revisions."""
