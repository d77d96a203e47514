"""Lock modes of tables, which of them wait for each other, and a lock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MODES = (
    ACCESS_SHARE := "ACCESS SHARE",
    ROW_SHARE := "ROW SHARE",
    ROW_EXCLUSIVE := "ROW EXCLUSIVE",
    SHARE_UPDATE_EXCLUSIVE := "SHARE UPDATE EXCLUSIVE",
    SHARE := "SHARE",
    SHARE_ROW_EXCLUSIVE := "SHARE ROW EXCLUSIVE",
    EXCLUSIVE := "EXCLUSIVE",
    ACCESS_EXCLUSIVE := "ACCESS EXCLUSIVE",
)
"""The lock modes of tables, from the weakest to the strongest."""
_WAITS = {
    ACCESS_SHARE: {ACCESS_EXCLUSIVE},
    ROW_SHARE: {EXCLUSIVE, ACCESS_EXCLUSIVE},
    ROW_EXCLUSIVE: {SHARE, *MODES[5:]},
    SHARE_UPDATE_EXCLUSIVE: set(MODES[3:]),
    SHARE: {ROW_EXCLUSIVE, SHARE_UPDATE_EXCLUSIVE, *MODES[5:]},
    SHARE_ROW_EXCLUSIVE: set(MODES[2:]),
    EXCLUSIVE: set(MODES[1:]),
    ACCESS_EXCLUSIVE: set(MODES),
}


@dataclass(frozen=True)
class Lock:
    """A lock on one relation, held until the transaction ends."""

    relation: tuple[str, ...]
    """Schema (where it is written) and name."""
    mode: str
    """`ACCESS EXCLUSIVE`, as LOCK TABLE writes it."""
    table_mode: str = ""
    """Where the relation is an index, and its table is locked as well: how."""


def conflicting(mode: str) -> frozenset[str]:
    """The modes that wait for this one, and that it waits for (13.3.1, Conflicting Lock Modes)."""
    return frozenset(_WAITS[mode])


def strongest(modes: Iterable[str]) -> str:
    """The strongest of the modes."""
    return max(modes, key=MODES.index)
