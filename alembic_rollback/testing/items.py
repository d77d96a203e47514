"""pytest's nodes: one for the project, below it a test for each revision and the checks of all."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from alembic_rollback.errors import DatabaseError
from alembic_rollback.reporting.testing import failure_lines, note_lines
from alembic_rollback.testing.checks import CHECKS, Subject, fail
from alembic_rollback.testing.quiet import quiet
from alembic_rollback.verification.outcomes import IRREVERSIBLE

if TYPE_CHECKING:
    from alembic_rollback.model import Revision
    from alembic_rollback.testing.session import Tests
    from alembic_rollback.verification import Verifier

_NAME = "alembic-rollback"


def collected(session: pytest.Session, tests: Tests, selected: Sequence[str]) -> list[pytest.Item]:
    """All our items, or those with the ids; told to whoever counts what was collected.

    Raises pytest.UsageError for an id that is none of ours.
    """
    node = ProjectNode.from_parent(session, name=_NAME, nodeid=_NAME, tests=tests)
    hook = node.ihook
    hook.pytest_collectstart(collector=node)
    report = hook.pytest_make_collect_report(collector=node)
    items = report.result or []
    known = {item.nodeid: item for item in items}
    unknown = [one for one in selected if one not in known]
    if unknown:
        raise pytest.UsageError(f"alembic-rollback: there is no test {unknown[0]}")
    report.result = [known[one] for one in dict.fromkeys(selected)] if selected else items
    for item in report.result:
        hook.pytest_itemcollected(item=item)
    hook.pytest_collectreport(report=report)
    return list(report.result)


class ProjectNode(pytest.Collector):
    """The project."""

    def __init__(self, *, tests: Tests, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.tests = tests
        self.add_marker("alembic_rollback")

    def collect(self) -> Iterator[pytest.Item]:
        """One item a revision that is to be tested, and those of the project around them."""
        first, *others = CHECKS
        if self.tests.project.revisions:
            yield CheckItem.from_parent(self, name=first)
        yield from self._revisions()
        if self.tests.project.revisions:
            for name in others:
                yield CheckItem.from_parent(self, name=name)

    def _revisions(self) -> Iterator[pytest.Item]:
        history, taken = self.tests.project.history, set[str]()
        for version in history.graph.order(history.revisions.keys() - self.tests.below):
            revision = history.revisions[version]
            name = _name_of(revision)
            name = f"{version}_{name}" if name in taken else name
            taken.add(name)
            yield RevisionItem.from_parent(self, name=name, revision=revision)


def _name_of(revision: Revision) -> str:
    """A pair's title; the name of a `.py` file, with the version in it."""
    if revision.is_pair:
        return revision.title
    stem = revision.path.stem
    return stem if revision.version in stem else f"{revision.version}_{stem}"


class _Item(pytest.Item):
    """What both kinds have in common."""

    fixturenames: Collection[str] = ()
    """Plugins and conftest files ask every item for it."""

    @property
    def tests(self) -> Tests:
        """What is shared."""
        assert isinstance(self.parent, ProjectNode)
        return self.parent.tests

    @property
    def key(self) -> str:
        """What `alembic_rollback_skip` calls it."""
        return self.name

    def runtest(self) -> None:
        """Run it; what goes wrong is told in lines of ours, not in a traceback."""
        reason = self.tests.skipped.get(self.key)
        try:
            if reason:
                pytest.skip(reason)
            with quiet():
                self.check()
            return
        except DatabaseError as error:
            told = str(error)
        except pytest.skip.Exception as skipped:
            skipped._use_item_location = True  # else the summary names a line of ours
            raise
        fail(told)  # out here: pytest would show what it handled, too

    @abstractmethod
    def check(self) -> None:
        """What the item is about."""

    def verifier(self) -> Verifier:
        """The walk, which tries what this process will be asked for.

        With pytest-xdist nobody knows beforehand what that will be.
        """
        if hasattr(self.config, "workerinput"):
            return self.tests.verifier(())
        ours = [item for item in self.session.items if isinstance(item, RevisionItem)]
        skipped = self.tests.skipped
        return self.tests.verifier([item.key for item in ours if item.key not in skipped])


class CheckItem(_Item):
    """A test of the whole project."""

    def check(self) -> None:
        """Run it."""
        project = self.tests.project
        none = {v for v, one in project.revisions.items() if one.irreversible or not one.has_down}
        kept = none | self.tests.below | (self.tests.skipped.keys() & project.revisions.keys())
        CHECKS[self.name](Subject(project, self.verifier, frozenset(kept)))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it is."""
        return Path(self.tests.project.history.directory.dir), 0, self.name


class RevisionItem(_Item):
    """A test of one revision."""

    def __init__(self, *, revision: Revision, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.revision = revision

    @property
    def key(self) -> str:
        """Its version."""
        return self.revision.version

    def check(self) -> None:
        """Up, down and up again."""
        found = self.verifier().judged(self.key)
        if found.outcome == IRREVERSIBLE and found.trouble:
            pytest.skip(f"irreversible: {found.trouble.message}")
        if found.stands_on and self._is_tested(found.stands_on):
            pytest.skip(f"stands on {found.stands_on}, which cannot be applied")
        strict = self.tests.strict
        lines = list(failure_lines(found, strict=strict))
        if lines:
            fail(lines)
        self.user_properties += [("alembic_rollback", line) for line in note_lines(found)]

    def _is_tested(self, title: str) -> bool:
        """Whether another item fails for it."""
        ours = (item for item in self.session.items if isinstance(item, RevisionItem))
        return any(item.revision.title == title for item in ours)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it is: the file."""
        return self.revision.path, 0, self.name
