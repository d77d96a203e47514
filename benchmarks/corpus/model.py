"""What was asked for, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from alembic_rollback.pairs import UP

AUX = ".aux.sql"
SHOWN = 5
"""Differences told of one migration."""

REPLAY, NONE, HUMAN = "replay", "none", "human"
DATA_ONLY, UP_FAILS = "data-only", "up fails"
EXACT, ORDER = "exact", "order"
IRREVERSIBLE, UNPROVEN, WRONG = "irreversible", "unproven", "WRONG"
DIFFERS, DOWN_FAILS, EMPTY, NO_DOWN = "differs", "down fails", "empty", "no down"
UNSCORED = (DATA_ONLY, UP_FAILS)
UP_FAILS_AGAIN, DIFFERS_AGAIN = "up fails again", "differs after the second up"
RESTORED = (EXACT, ORDER)
OURS = (*RESTORED, IRREVERSIBLE, UNPROVEN, WRONG)
THEIRS = (*RESTORED, DIFFERS, DOWN_FAILS, EMPTY, NO_DOWN)


@dataclass(frozen=True)
class Wish:
    """What was asked for."""

    sides: tuple[str, ...]
    """Whose downs: REPLAY, NONE, HUMAN."""
    judge: str
    verify: bool
    only: tuple[str, ...]
    url: str
    rows: int = 0
    """Of verify-down: how many each table gets."""

    @property
    def tries(self) -> bool:
        """Whether ups have to be tried, not only judged."""
        return REPLAY in self.sides

    def wants(self, up: Path) -> bool:
        title = up.name.removesuffix(UP)
        return any(fnmatch(title, one) or fnmatch(up.name, one) for one in self.only or ("*",))


@dataclass(frozen=True)
class Record:
    """What became of one migration."""

    folder: str
    title: str
    side: str
    verdict: str
    reason: str = ""
    """Why it is not restored, or not scored."""
    how: str = ""
    """How the down was found: `text`, `statements` or `difference`."""
    ms: float = 0.0
    """What deriving and proving took."""
    judged: str = ""
    """What the judge says of the down, also that of a data-only up; with --verify of a second up,
    too, where verify-down says that it doesn't lead where the first did."""
    harm: str = ""
    """What the down of a data-only up does to the schema."""
    verified: str = ""
    """With --verify: what verify-down says; empty where there is no down."""
    agrees: bool | None = None
    """Whether it says what the judge says."""
    down: str = ""


@dataclass(frozen=True)
class Folder:
    """What became of a folder's migrations."""

    name: str
    records: tuple[Record, ...] = ()
    server: str = ""
    judge: str = ""
    trouble: str = ""
    """Why it ended early."""

    def of(self, side: str) -> list[Record]:
        """Those of one side."""
        return [one for one in self.records if one.side == side]

    @property
    def at_fault(self) -> bool:
        """Whether we are: a down that was said to be right isn't, or verify-down is mistaken."""
        ours = [one for one in self.records if one.side != HUMAN]
        wrong = any(one.verdict == WRONG or one.harm for one in ours)
        return wrong or bool(self.trouble) or any(one.agrees is False for one in self.records)


def listed(items: Sequence[str]) -> str:
    more = [f"and {len(items) - SHOWN} more"] if len(items) > SHOWN else []
    return "; ".join([*sorted(items)[:SHOWN], *more])
