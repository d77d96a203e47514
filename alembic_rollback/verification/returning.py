"""The whole way back in one go, and forward again: what only shows where all downs follow."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.comparison import Difference, compare
from alembic_rollback.replay import ReplayError
from alembic_rollback.scratch import NotOnScratch
from alembic_rollback.verification.outcomes import (
    DIFFERS,
    DOWN_FAILS,
    UP_FAILS_AGAIN,
    VERIFIED,
    Trouble,
    trouble,
)

if TYPE_CHECKING:
    from alembic.script import Script

    from alembic_rollback.catalog.facts.model import Snapshot
    from alembic_rollback.host.history import History
    from alembic_rollback.verification.walk import Walk


@dataclass(frozen=True)
class Returned:
    """What became of it."""

    outcome: str
    """VERIFIED, DIFFERS, DOWN_FAILS or UP_FAILS_AGAIN."""
    taken_back: int
    """How many revisions were to be taken back."""
    title: str = ""
    """Of the revision that fails."""
    trouble: Trouble | None = None
    differences: tuple[Difference, ...] = ()
    again: bool = False
    """They are after the way forward; else after the way back."""


def down_and_up(walk: Walk, history: History, kept: Collection[str]) -> Returned:
    """Take back everything but `kept` and what it stands on, newest first; then apply it again.

    The catalog must be that of a database which never had more than what was kept, then what it
    was. The walk stands where it stood, or finds its way there.
    """
    walk.settle()
    stays = history.graph.cov(kept)
    going = [one for one in walk.applied if one.revision not in stays]
    rest = [one for one in walk.applied if one.revision in stays]
    number, before = len(going), walk.look()
    walk.doubtful = True
    failed = _each(walk, reversed(going), back=True)
    if failed:
        return Returned(DOWN_FAILS, number, *_told(history, *failed))
    left = walk.look()
    failed = _each(walk, going, back=False)
    again = () if failed else _real(compare(before, walk.look()))
    differences = _real(compare(_anew(walk, rest), left))
    if differences:
        return Returned(DIFFERS, number, differences=differences)
    if failed:
        return Returned(UP_FAILS_AGAIN, number, *_told(history, *failed))
    if again:
        return Returned(DIFFERS, number, differences=again, again=True)
    return Returned(VERIFIED, number)


def _each(walk: Walk, scripts: Iterable[Script], *, back: bool) -> tuple[Script, Trouble] | None:
    for script in scripts:
        try:
            if back:
                walk.take_back(script)
            else:
                walk.replay([script])
        except (ReplayError, NotOnScratch) as error:
            return script, trouble(error)
    return None


def _told(history: History, script: Script, why: Trouble) -> tuple[str, Trouble]:
    return history.revisions[script.revision].title, why


def _anew(walk: Walk, scripts: list[Script]) -> Snapshot:
    """The catalog of a database with these revisions only, which the walk has from then on."""
    everything, walk.applied, walk.doubtful = walk.applied, scripts, True
    try:
        walk.settle()
        return walk.look()
    finally:
        walk.applied, walk.doubtful = everything, True


def _real(differences: tuple[Difference, ...]) -> tuple[Difference, ...]:
    return tuple(one for one in differences if one.how != "order")
