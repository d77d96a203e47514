"""What trying a revision has shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alembic_rollback.replay import ReplayError

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.comparison import Difference
    from alembic_rollback.errors import Location, RollbackError
    from alembic_rollback.model import Revision
    from alembic_rollback.survival import Loss

VERIFIED = "verified"
REORDERED = "verified but for column order"
DIFFERS = "differs"
DOWN_FAILS = "down fails"
UP_FAILS = "up fails"
UP_FAILS_AGAIN = "up fails after down"
NO_DOWN = "no down"
IRREVERSIBLE = "irreversible"
NOT_VERIFIED = "not verified"
OUTCOMES = (
    VERIFIED, REORDERED, DIFFERS, DOWN_FAILS, UP_FAILS, UP_FAILS_AGAIN, NO_DOWN, IRREVERSIBLE,
    NOT_VERIFIED,
)  # fmt: skip


@dataclass(frozen=True)
class Trouble:
    """Why a script could not be run."""

    message: str
    """One sentence, without the place and the code."""
    where: Location | None = None
    sqlstate: str | None = None
    advice: str = ""
    """The server's detail and hint, or what to do about it."""


@dataclass(frozen=True)
class Judged:
    """What became of one revision."""

    revision: Revision
    outcome: str
    """One of OUTCOMES."""
    trouble: Trouble | None = None
    """Where something fails or could not be tried."""
    differences: tuple[Difference, ...] = ()
    """What is not what it was, columns in another order included."""
    again: bool = False
    """They are between the first up and the second one; else between before and after the down."""
    lost: tuple[Loss, ...] = ()
    """Of the rows that were there before the up."""
    taken: tuple[Loss, ...] = ()
    """What the up itself had taken of them, where that was looked at."""
    unseeded: Mapping[str, str] = field(default_factory=dict)
    """Tables that took no row, with the reason."""
    notes: tuple[str, ...] = ()
    stands_on: str = ""
    """Title of the revision that cannot be applied, where this one was not tried for that."""
    on_empty: str = ""
    """Where it fails with rows: the outcome on empty tables."""

    @property
    def verified(self) -> bool:
        """Whether the down restores the schema, but perhaps for the order of columns."""
        return self.outcome in (VERIFIED, REORDERED)

    @property
    def avoidable(self) -> tuple[Loss, ...]:
        """Rows and values that the up had left alone: the down takes them. See `taken`."""
        gone = {(one.table, one.column) for one in self.taken if one.kind != "extra"}
        return tuple(
            one
            for one in self.lost
            if one.kind != "extra" and not gone & {(one.table, one.column), (one.table, None)}
        )

    @property
    def restores(self) -> bool:
        """Whether it does so at least where there are no rows."""
        return self.verified or self.on_empty in (VERIFIED, REORDERED)

    def passes(self, *, strict: bool) -> bool:
        """Whether nothing has to be done. strict: the order of columns and rows count, too."""
        if self.outcome == IRREVERSIBLE:
            return True
        if strict:
            return self.outcome == VERIFIED and not self.lost and not self.notes
        return self.verified


@dataclass(frozen=True)
class Verification:
    """What became of all that were asked for, in the history's order."""

    server: str
    """PostgreSQL's version: `18.6`."""
    revisions: tuple[Judged, ...]

    @property
    def verified(self) -> int:
        """How many downs restore the schema."""
        return sum(one.verified for one in self.revisions)

    def passes(self, *, strict: bool = False) -> bool:
        """Whether every revision does; see `Judged.passes`."""
        return all(one.passes(strict=strict) for one in self.revisions)


def trouble(error: RollbackError) -> Trouble:
    """What went wrong, without which revision and direction: that is told beside it."""
    if isinstance(error, ReplayError):
        message = error.what.rstrip(".")
        if error.sqlstate:
            message = message.removesuffix(f" ({error.sqlstate})")
        message = message.partition(" failed: ")[2] or message
        return Trouble(message, error.where, error.sqlstate, error.next_step or "")
    return Trouble(error.what.rstrip("."), error.where, None, error.next_step or "")
