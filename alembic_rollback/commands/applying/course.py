"""What was asked of apply-db, and how far it got."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alembic_rollback import escalation
from alembic_rollback.errors import (
    UsageError,
)
from alembic_rollback.host import environment
from alembic_rollback.host.scripts import pair_of
from alembic_rollback.host.state import new_run
from alembic_rollback.planning import counted, steps_up
from alembic_rollback.statuses import status_of

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection

    from alembic_rollback.escalation import (
        Attempt,
        Seen,
    )
    from alembic_rollback.host.environment import Key, Snapshot
    from alembic_rollback.host.history import History
    from alembic_rollback.model import Revision
    from alembic_rollback.pairs import Pair
    from alembic_rollback.settings import Settings


Tell = Callable[[str], None]
"""Gets a line for each step as it has happened."""
UNTOUCHED = "Nothing was applied."


@dataclass(frozen=True)
class Wanted:
    """What was asked for."""

    config: Config
    settings: Settings
    version: str
    generate: bool
    verify: bool
    retries: int
    scratch_url: str
    tag: str | None
    lock_wait: str
    dry_run: bool
    tell: Tell

    @property
    def command(self) -> str:
        """As it could be typed; without the URL, which may hold a password."""
        parts = ["alembic", "apply-db", "" if self.version == "head" else self.version]
        parts += ["--generate" if self.generate else "", "" if self.verify else "--no-verify"]
        parts += ["--tag", self.tag] if self.tag else []
        return shlex.join(part for part in parts if part)


@dataclass
class Course:
    """How far it got."""

    target: str
    """What Alembic is told."""
    before: Mapping[Key, Seen]
    pending: Mapping[Key, tuple[Revision, ...]]
    history: History
    client: str | None
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def revisions(self) -> dict[str, Revision]:
        """The pending revisions of all databases by version, in order."""
        return {one.version: one for some in self.pending.values() for one in some}

    @property
    def resumed(self) -> set[str]:
        """Pending revisions that were partial before this run."""
        begun = (seen.partials.keys() for seen in self.before.values())
        return set().union(*begun) & self.revisions.keys()


def look_ahead(wanted: Wanted) -> Course:
    """What is pending in each database."""
    client = new_run().client
    found = environment.inspect(
        wanted.config, lambda snapshot, connection: (snapshot, see(snapshot, connection, client))
    )
    history = found[0][0].history
    if wanted.version.startswith("+"):
        target = _relative(wanted.version, [snapshot for snapshot, _ in found])
        targets: tuple[str, ...] = (target,)
    else:
        targets = _targets(history, wanted.version)
        target = targets[0] if len(targets) == 1 else "heads"
    pending = {
        snapshot.key: tuple(
            history.revisions[version]
            for version in steps_up(snapshot.history.graph, targets, snapshot.applied)
            if version in history.revisions
        )
        for snapshot, _ in found
    }
    return Course(target, {seen.key: seen for _, seen in found}, pending, history, client)


def look_back(wanted: Wanted, course: Course) -> dict[Key, Seen]:
    """What other connections see of it now."""

    def read(snapshot: Snapshot, connection: Connection) -> Seen:
        before = course.before.get(snapshot.key)
        return see(snapshot, connection, course.client, before.last_id if before else 0)

    return {seen.key: seen for seen in environment.inspect(wanted.config, read)}


def see(snapshot: Snapshot, connection: Connection, client: str | None, after: int = 0) -> Seen:
    """What one database says now, and what this client has written since a row of the log."""
    return escalation.see(snapshot, connection, status_of(snapshot), client, after)


def _targets(history: History, version: str) -> tuple[str, ...]:
    heads = tuple(sorted(history.directory.get_heads()))
    if version == "heads" or (version == "head" and not heads):
        return heads
    if version == "head" and len(heads) > 1:
        raise UsageError(
            f"There are {len(heads)} heads: {', '.join(heads)}.",
            state=UNTOUCHED,
            next_step="`alembic apply-db heads` applies all of them; or name one.",
        )
    return (history.resolve(version),)


def _relative(version: str, snapshots: Sequence[Snapshot]) -> str:
    """`+N` as the revision that it ends at: another attempt must not count anew."""
    digits = version.removeprefix("+")
    if not digits.isdigit() or not int(digits):
        raise UsageError(f"{version!r} is not +N, with N from 1.")
    if len(snapshots) > 1:
        raise UsageError(
            f"{version} means another revision in each database.", next_step="Name the revision."
        )
    (snapshot,) = snapshots
    history, count = snapshot.history, int(digits)
    every = steps_up(history.graph, history.directory.get_heads(), snapshot.applied)
    if len(every) < count:
        raise UsageError(f"Only {counted(len(every), 'revision')} pending, not {count}.")
    if steps_up(history.graph, [every[count - 1]], snapshot.applied) != every[:count]:
        raise UsageError(
            f"The next {count} are on several branches.", next_step="Name the revision."
        )
    return every[count - 1]


def tell_pending(wanted: Wanted, course: Course) -> None:
    """Say what will be applied, in each database."""
    for key, revisions in course.pending.items():
        seen = course.before[key]
        place = f" in {seen.database}" if len(course.pending) > 1 else ""
        wanted.tell(f"{counted(len(revisions), 'revision')} pending{place}:")
        for one in revisions:
            begun = seen.partials.get(one.version)
            wanted.tell(f"  {one.title}" + (f" (partial: {begun.shown})" if begun else ""))


def pair_in(course: Course, revision: Revision) -> Pair | None:
    """The files of a revision; None for `.py`."""
    return pair_of(course.history.script(revision.version))


def title_of(course: Course, version: str) -> str:
    """The revision's, as a person knows it."""
    revision = course.revisions.get(version)
    return revision.title if revision else version
