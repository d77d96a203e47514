"""In which facts two snapshots differ, whatever their oids and the order of creation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.registry import KINDS

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Key, Snapshot

_ORDER = "column order"


@dataclass(frozen=True)
class Difference:
    """One fact that is not what it was."""

    before: Fact | None
    after: Fact | None

    @property
    def fact(self) -> Fact:
        """The fact, as far as there is one."""
        found = self.before or self.after
        assert found is not None
        return found

    @property
    def how(self) -> str:
        """`missing`, `extra`, `changed`, or `order` for columns that only changed places."""
        if self.before is None:
            return "extra"
        if self.after is None:
            return "missing"
        return "order" if KINDS[self.fact.kind].reordered(self.before, self.after) else "changed"

    @property
    def lasting(self) -> bool:
        """Whether no SQL leads back: a table's columns in another order. A view's can be mended."""
        return self.how == "order" and self.fact.kind == _ORDER

    def __str__(self) -> str:
        """`missing index public.orders_total`, on one line; never with values of options."""
        return f"{self.how} {self.fact.kind} {self.fact.key}"


def compare(before: Snapshot, after: Snapshot) -> tuple[Difference, ...]:
    """Every difference, by kind and key; none for what only PostgreSQL's printing tells apart."""
    if before is after:
        return ()
    one, other = _apart(before, after), _apart(after, before)
    found = []
    for key in one.keys() | other.keys():
        old, new = one.get(key), other.get(key)
        if old is None or new is None:
            # A column that came or went is told by itself.
            if key[0] != _ORDER:
                found.append(Difference(old, new))
        elif not KINDS[old.kind].equal(old, new) and not _only_columns(old, new):
            found.append(Difference(old, new))
    return tuple(sorted(found, key=lambda item: (item.fact.kind, item.fact.key)))


def _apart(one: Snapshot, other: Snapshot) -> dict[Key, Fact]:
    """Its facts by kind and key, without those that the other has from the same reading."""
    there = other.facts.get
    return {(f.kind, f.key): f for oid, f in one.facts.items() if there(oid) is not f}


def _only_columns(old: Fact, new: Fact) -> bool:
    """Whether an order of columns differs only because columns came or went."""
    if old.kind != _ORDER:
        return False
    return sorted(old.details["columns"]) != sorted(new.details["columns"])
