"""Earlier readings of a database: what hasn't changed since isn't printed again."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.stamps import KEYED, Stamps

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.linking import Link
    from alembic_rollback.catalog.facts.model import Fact, Id, Snapshot

_KEPT = 6
"""Before, after, after the down and after the second up; and what was tried meanwhile."""


@dataclass(frozen=True)
class Part:
    """What one query said."""

    objects: Mapping[int, Sequence[Fact]]
    """By the oids of the objects that the facts were read with."""
    facts: Mapping[Id, Fact]
    """The same, by age."""

    @cached_property
    def parents(self) -> frozenset[Id | None]:
        """What the facts go with."""
        return frozenset(map(attrgetter("parent"), self.facts.values())) - {None}


@dataclass
class Moment:
    """One earlier reading."""

    stamps: Stamps
    """With the rows of every catalog of KEYED."""
    parts: Mapping[str, Part]
    """By the name of the query."""
    members: frozenset[tuple[int, int]]
    """What belongs to extensions."""
    snapshot: Snapshot
    """Without what needs what."""
    links: Sequence[Link] | None = None
    linked: Snapshot | None = None
    """With what needs what. Both are None where nobody asked for it."""


class Memory:
    """The last readings of a database, whatever the sessions that took them.

    `read` fills it and makes use of it. While nothing has changed, or all is again as it was at
    one of them, the very same snapshot comes again; else the facts of what hasn't changed do.
    Another database, role or search_path finds nothing in it. It is right as long as only those
    change the database meanwhile whose sessions take turns with the reading.
    """

    def __init__(self) -> None:
        self._moments: deque[Moment] = deque(maxlen=_KEPT)

    def same(self, now: Stamps) -> Moment | None:
        """The reading of a moment at which all was as it is now."""
        for one in self._moments:
            if one.stamps.setting == now.setting and one.stamps.totals == now.totals:
                # What is of use stays longest.
                self._moments.remove(one)
                self.keep(one)
                return one
        return None

    def nearest(self, now: Stamps) -> Moment | None:
        """The last reading since which the least may have changed, and nothing that is rare."""
        near = [
            ((len(one.stamps.buckets(now)), len(names)), one)
            for one in reversed(self._moments)
            if one.stamps.setting == now.setting
            and (names := one.stamps.differs(now)) <= KEYED.keys()
        ]
        return min(near, key=lambda one: one[0])[1] if near else None

    def linked(self) -> Moment | None:
        """The last reading that knows what needs what."""
        return next((one for one in reversed(self._moments) if one.links is not None), None)

    def keep(self, moment: Moment) -> None:
        """Remember a reading, rather than the oldest."""
        self._moments.append(moment)
