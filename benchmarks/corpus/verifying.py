"""Whether verify-down says of people's downs what the judge says.

What was judged is staged as an Alembic project of pairs, and `verify-down` itself runs over it: one
history, each file where it was. What a pair cannot hold is put so that it can: a file of several
transactions as `-- Transaction: none`, of an up that fails only what worked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic.config import Config

from alembic_rollback.command import verify_down
from alembic_rollback.pairs import DOWN, UP
from alembic_rollback.verification import Judged
from alembic_rollback.verification.outcomes import IRREVERSIBLE, NO_DOWN, NOT_VERIFIED, UP_FAILS
from benchmarks.corpus.files import as_of_a_pair
from benchmarks.corpus.model import HUMAN, RESTORED, Record, Wish, listed

NOTHING_SAID = (NOT_VERIFIED, UP_FAILS, IRREVERSIBLE, NO_DOWN)


@dataclass(frozen=True)
class Step:
    """A file that has been run."""

    path: Path
    up: str
    """What worked of it, as a pair's up."""
    down: str | None
    """What to verify; None where nobody asks."""

    @property
    def title(self) -> str:
        return self.path.name.removesuffix(UP)


def verify(steps: Sequence[Step], wish: Wish) -> dict[str, Judged]:
    """What verify-down says, by title. Raises RollbackError where it cannot run at all."""
    with TemporaryDirectory() as folder:
        versions = stage(steps, Path(folder))
        if not versions:
            return {}
        config = Config()
        config.set_main_option("script_location", folder)
        found = verify_down(config, *versions, rows=wish.rows, scratch_url=wish.url)
    return {versions[one.revision.version]: one for one in found.revisions}


def stage(steps: Sequence[Step], folder: Path) -> dict[str, str]:
    """Write the project; the titles of what is to be verified, by version."""
    place = folder / "versions"
    place.mkdir()
    wanted = {}
    for number, step in enumerate(steps, 1):
        version = f"{number:06d}"
        stem = f"{version}_{re.sub(r'[^A-Za-z0-9]+', '_', step.title)[:80]}"
        (place / f"{stem}{UP}").write_text(step.up or "-- Nothing.\n")
        down = step.down
        if down is not None:
            wanted[version] = step.title
            (place / f"{stem}{DOWN}").write_text(as_of_a_pair(down, step.path) or "-- Nothing.\n")
    return wanted


def confront(records: Sequence[Record], said: Mapping[str, Judged]) -> list[Record]:
    """The records with what verify-down says beside what the judge says."""
    return [
        replace(one, verified=told(said[one.title]), agrees=agree(one, said[one.title]))
        if one.side == HUMAN and one.title in said
        else one
        for one in records
    ]


def agree(record: Record, said: Judged) -> bool | None:
    """None where verify-down says nothing of the down."""
    if said.outcome in NOTHING_SAID:
        return None
    return said.restores == (record.judged in RESTORED)


def told(said: Judged) -> str:
    """An outcome in a line."""
    trouble = said.trouble.message if said.trouble else ""
    differences = listed(list(map(str, said.differences)))
    return ": ".join(filter(None, (said.outcome, trouble, differences, *said.notes)))
