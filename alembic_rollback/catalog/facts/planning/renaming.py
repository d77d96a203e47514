"""Names come back first: the texts that PostgreSQL prints have them then."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.planning.matching import Match, occupants, place
from alembic_rollback.catalog.facts.planning.planner import Plan, Planner
from alembic_rollback.catalog.facts.registry import KINDS

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot


def renames(current: Snapshot, wanted: Snapshot, match: Match) -> Plan:
    """Names come first; what is new and in the way of an old name goes before."""
    pairs = [
        (match.current[fact.id], fact)
        for fact in sorted(wanted.facts.values(), key=lambda one: KINDS[one.kind].rank)
        if fact.id in match.current
        and any(
            match.current[fact.id].details.get(key) != fact.details.get(key)
            for key in ("name", "schema")
        )
    ]
    # Parts are named with what they are part of, which has to have its name back first; what is in
    # a schema, with that.
    moving = {
        old.key for old, new in pairs if new.details.get("schema") != old.details.get("schema")
    }
    pairs = [
        pair
        for pair in pairs
        if not any(
            owned.details["table"] in moving
            for owned in current.children_of(pair[0], "sequence ownership")
        )
    ]
    schemas = [pair for pair in pairs if pair[1].kind == "schema"]
    wholes = [pair for pair in pairs if pair[1].parent is None or pair[1].kind == "index"]
    found = (_renamed(group, current, wanted, match) for group in (schemas, wholes, pairs))
    return Plan(next((statements for statements in found if statements), ()))


def _renamed(
    pairs: list[tuple[Fact, Fact]], current: Snapshot, wanted: Snapshot, match: Match
) -> tuple[str, ...]:
    planner, statements = Planner(current, wanted, match), list[str]()
    taken = occupants(current)
    for old, new in pairs:
        for occupant in taken.get(place(new, wanted), ()) if old.key != new.key else ():
            if occupant not in match.wanted and occupant not in planner.dropped:
                statements += planner.removal(current.facts[occupant])
    for old, new in _unblocked(pairs, current, wanted):
        statements += KINDS[new.kind].rename(old, new) or ()
    return tuple(dict.fromkeys(statements))


def _unblocked(
    pairs: list[tuple[Fact, Fact]], current: Snapshot, wanted: Snapshot
) -> list[tuple[Fact, Fact]]:
    """Renames so that each finds its new name free; in a circle, one steps aside."""
    waiting, found = list(pairs), []
    while waiting:
        taken = {place(old, current) for old, _ in waiting}
        free = [one for one in waiting if place(one[1], wanted) not in taken]
        if free:
            found += free
            waiting = [one for one in waiting if one not in free]
        else:
            # The next round gives it the name that it should have.
            old, new = waiting.pop(0)
            aside = {**old.details, "name": f"{new.details['name'][:58]}_aside"}
            found.append((old, replace(new, details=aside)))
    return found
