"""What is read about an object, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Address: TypeAlias = tuple[int, int, int]
"""pg_depend's classid, objid, objsubid."""


@dataclass(frozen=True)
class Definition:
    """An object, and how to make it again."""

    address: Address
    kind: str
    """pg_identify_object's type: `view`, `table constraint`, `policy`, …"""
    name: str
    """pg_identify_object's identity."""
    statements: tuple[str, ...] = ()
    """SQL that makes it again, in order, without trailing semicolons."""
    missing: str = ""
    """Why it cannot be made again from its definition; then there are no statements."""


@dataclass(frozen=True)
class Recipe:
    """How to make an object, without what every kind has: owner, privileges, comment."""

    create: tuple[str, ...] = ()
    noun: str = ""
    """As COMMENT ON and ALTER call it: `MATERIALIZED VIEW`."""
    name: str = ""
    """As it stands behind the noun: `app.totals`; of a trigger `audit ON app.orders`."""
    after: tuple[str, ...] = ()
    """What comes last: state and settings."""
    missing: str = ""


PART = Recipe()
"""Of an object that comes with another: an index with its constraint."""


def lost(reason: str) -> Recipe:
    """The recipe of what cannot be made again."""
    return Recipe(missing=reason)
