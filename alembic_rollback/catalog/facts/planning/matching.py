"""Which current fact is which wanted one, and which names they take."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alembic_rollback.sql.names import quote_identifier

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Id, Snapshot

TYPES = ("enum", "composite type", "domain", "range type")
ROUTINES = ("function", "procedure", "aggregate")
INDEXES = ("index", "constraint")
RELATIONS = ("table", "view", "materialized view", "sequence", "index", "composite type")


@dataclass
class Match:
    """Which current fact is which wanted one."""

    wanted: dict[Id, Fact] = field(default_factory=dict)
    """By current id."""
    current: dict[Id, Fact] = field(default_factory=dict)
    """By wanted id."""


def matched(current: Snapshot, wanted: Snapshot, *, same: bool) -> Match:
    """By oid, where oids are those of the same database; else, and for the rest, by key."""
    match = Match()
    if same:
        for one, fact in wanted.facts.items():
            found = current.facts.get(one)
            if found is not None and found.kind == fact.kind:
                match.current[one], match.wanted[one] = found, fact
    for key, fact in wanted.by_key.items():
        found = current.by_key.get(key)
        if fact.id not in match.current and found is not None and found.id not in match.wanted:
            match.current[fact.id], match.wanted[found.id] = found, fact
    return match


def place(fact: Fact, snapshot: Snapshot) -> tuple[str, str]:
    """The name that no other object can have at the same time: in one space with other kinds."""
    if fact.kind in RELATIONS or fact.kind in TYPES:
        return ("relation", fact.key)
    if fact.kind in ROUTINES:
        return ("routine", fact.key)
    if fact.kind == "constraint" and fact.details["type"] in "pux":
        schema = snapshot.parent_of(fact).details["schema"]
        name = ".".join(map(quote_identifier, (schema, fact.details["name"])))
        return ("relation", name)
    return (fact.kind, fact.key)


def occupants(snapshot: Snapshot) -> dict[tuple[str, str], list[Id]]:
    """By name, the facts that take it."""
    found: dict[tuple[str, str], list[Id]] = defaultdict(list)
    for one, fact in snapshot.facts.items():
        found[place(fact, snapshot)].append(one)
        identity = fact.details.get("identity") if fact.kind == "column" else None
        if identity:
            schema = snapshot.parent_of(fact).details["schema"]
            name = ".".join(map(quote_identifier, (schema, identity["sequence"])))
            found["relation", name].append(one)
    return found
