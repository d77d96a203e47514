"""What a snapshot of a schema is made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias


class Id(NamedTuple):
    """A fact within one database: an object as pg_depend names it, and which aspect of it."""

    classid: int
    objid: int
    objsubid: int = 0
    aspect: str = ""
    """Empty for the object itself; `comment`, `owner`, `privileges`, …"""

    @property
    def object(self) -> Id:
        """The object that it is an aspect of."""
        return Id(self.classid, self.objid, self.objsubid)


@dataclass(frozen=True)
class Fact:
    """One fact. Nothing in it but `id` and `parent` depends on oids."""

    id: Id
    kind: str
    """`table`, `column`, `default`, `comment`, … : the name of its Kind."""
    key: str
    """Unique among the facts of its kind; always with its schema: `public.orders.total`."""
    name: str
    """As SQL names it, with a schema only where search_path needs one: `orders`, `total`,
    `audit ON orders`. What exactly is up to the kind."""
    parent: Id | None
    """What it goes with: a column's table, the object of a comment."""
    details: Mapping[str, Any]
    """All that tells it from another fact of the same name."""


Key: TypeAlias = tuple[str, str]


@dataclass(frozen=True)
class Snapshot:
    """Every fact of one database at one moment."""

    facts: Mapping[Id, Fact]
    needs: Mapping[Id, frozenset[Id]] = field(default_factory=dict, repr=False)
    """pg_depend, among facts: what each of them needs. What goes with another (an index with its
    constraint, a rule with its view) is folded into it. Aspects need nothing but their parent."""
    automatic: frozenset[tuple[Id, Id]] = field(default_factory=frozenset, repr=False)
    """(dependent, referenced): goes silently with it, without CASCADE."""

    @cached_property
    def by_key(self) -> dict[Key, Fact]:
        """The facts by kind and key."""
        return {(fact.kind, fact.key): fact for fact in self.facts.values()}

    @cached_property
    def children(self) -> dict[Id, list[Fact]]:
        """By parent, in the order in which they were read."""
        found: dict[Id, list[Fact]] = defaultdict(list)
        for fact in self.facts.values():
            if fact.parent is not None:
                found[fact.parent].append(fact)
        return found

    @cached_property
    def needed_by(self) -> dict[Id, set[Id]]:
        """The other way round: what needs each of them."""
        found: dict[Id, set[Id]] = defaultdict(set)
        for dependent, others in self.needs.items():
            for other in others:
                found[other].add(dependent)
        return found

    @cached_property
    def goes_with(self) -> dict[Id, set[Id]]:
        """What each fact goes silently with: an index with a column, a sequence with its owner."""
        found: dict[Id, set[Id]] = defaultdict(set)
        for dependent, referenced in self.automatic:
            found[dependent].add(referenced)
        return found

    @cached_property
    def takes_along(self) -> dict[Id, set[Id]]:
        """The other way round."""
        found: dict[Id, set[Id]] = defaultdict(set)
        for dependent, referenced in self.automatic:
            found[referenced].add(dependent)
        return found

    def parent_of(self, fact: Fact) -> Fact:
        """The fact that it goes with."""
        assert fact.parent is not None
        return self.facts[fact.parent]

    def children_of(self, fact: Fact, kind: str) -> Iterable[Fact]:
        """Its parts of one kind."""
        return (child for child in self.children.get(fact.id, ()) if child.kind == kind)
