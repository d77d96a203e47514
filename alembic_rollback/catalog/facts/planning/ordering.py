"""What has to come before what: pg_depend, and names that have to be free."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

from alembic_rollback.catalog.facts.planning.matching import INDEXES
from alembic_rollback.catalog.facts.registry import KINDS

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Id, Snapshot
    from alembic_rollback.catalog.facts.planning.planner import Planner

DROP, CHANGE, CREATE = range(3)


class Step(NamedTuple):
    """What is done about one fact."""

    how: int
    id: Id
    """Of the current fact for what is dropped, of the wanted one for the rest."""


def in_order(
    planner: Planner, steps: dict[Step, list[str]], absorbed: dict[Id, Id] | None = None
) -> list[tuple[Step, list[str]]]:
    """The steps so that each finds what it needs; what goes first, then by rank.

    absorbed: facts that another one's statement makes along, with the other one.
    """
    after: dict[Step, set[Step]] = defaultdict(set)
    before: dict[Step, set[Step]] = {step: set() for step in steps}
    for one, other in _edges(planner, steps, absorbed or {}):
        if one != other and one in steps and other in steps:
            after[one].add(other)
            before[other].add(one)
    places = {step: place for place, step in enumerate(steps)}

    def priority(step: Step) -> tuple[int, int, int]:
        facts = planner.current.facts if step.how == DROP else planner.wanted.facts
        rank = KINDS[facts[step.id].kind].rank
        return (step.how, -rank if step.how == DROP else rank, places[step])

    ready = [(priority(step), step) for step, others in before.items() if not others]
    heapify(ready)
    found: list[tuple[Step, list[str]]] = []
    while before:
        circle = set() if ready else _circle(before, after)
        detour = planner.detour(circle)
        if detour is not None:
            # The edges are others now that a foreign key goes by itself.
            rest = {step: steps[step] for step in before}
            return [*found, detour, *in_order(planner, rest, absorbed)]
        # Any other circle is entered where priorities say.
        planner.circular = planner.circular or not ready
        step = heappop(ready)[1] if ready else min(circle, key=priority)
        if step not in before:
            continue
        found.append((step, steps[step]))
        del before[step]
        for other in after[step]:
            if other in before:
                before[other].discard(step)
                if not before[other]:
                    heappush(ready, (priority(other), other))
    return found


def _circle(before: Mapping[Step, set[Step]], after: Mapping[Step, set[Step]]) -> set[Step]:
    """Steps that wait for each other, and for nothing else."""
    start = next(iter(before))
    while True:
        waited = _reached(start, before, before)
        outside = waited - _reached(start, after, before)
        if not outside:
            return waited
        start = min(outside)


def _reached(
    start: Step, links: Mapping[Step, set[Step]], waiting: Mapping[Step, set[Step]]
) -> set[Step]:
    found, following = {start}, [start]
    while following:
        for one in links.get(following.pop(), ()):
            if one in waiting and one not in found:
                found.add(one)
                following.append(one)
    return found


def _edges(
    planner: Planner, steps: Iterable[Step], absorbed: dict[Id, Id]
) -> Iterator[tuple[Step, Step]]:
    """(what comes before, what comes after)."""
    for one in planner.dropped:
        yield from _edges_of_drop(planner, one, absorbed)
    for one, whole in [*absorbed.items(), *((step.id, step.id) for step in steps)]:
        if one in planner.wanted.facts:
            yield from _edges_of_making(planner, one, whole, absorbed)


def _is_attached(index: Fact, wanted: Snapshot) -> bool:
    return index.kind in INDEXES and any(wanted.children_of(index, "attachment"))


def _attachments(wanted: Snapshot, one: Id) -> Iterator[Id]:
    """What attaches the indexes of partitions to a wanted one."""
    for child in wanted.takes_along.get(one, ()):
        fact = wanted.facts[child]
        if fact.kind in INDEXES:
            yield from (attachment.id for attachment in wanted.children_of(fact, "attachment"))
            yield from _attachments(wanted, child)


def _coming(one: Id, absorbed: dict[Id, Id]) -> list[Step]:
    """The steps that bring a wanted fact to what it should be."""
    return [Step(CREATE, absorbed.get(one, one)), Step(CHANGE, one)]


def _edges_of_drop(
    planner: Planner, one: Id, absorbed: dict[Id, Id]
) -> Iterator[tuple[Step, Step]]:
    current, match = planner.current, planner.match
    step, fact = Step(DROP, planner.carrier(one)), current.facts[one]
    for dependent in planner.dependents(fact):
        yield Step(DROP, planner.carrier(dependent.id)), step
        counterpart = match.wanted.get(dependent.id)
        if counterpart is not None:
            yield Step(CHANGE, counterpart.id), step
    counterpart = match.wanted.get(one)
    if counterpart is not None:
        yield from ((step, other) for other in _coming(counterpart.id, absorbed))
    others = [*current.needs.get(one, ()), *([fact.parent] if fact.parent else ())]
    for counterpart in filter(None, map(match.wanted.get, others)):
        if planner.dropped[one]:
            yield step, Step(CHANGE, counterpart.id)
    # The name has to be free.
    for place in planner.places_left.get(one, ()):
        for successor in planner.places_wanted.get(place, ()):
            yield from ((step, other) for other in _coming(successor, absorbed))


def _edges_of_making(
    planner: Planner, one: Id, whole: Id, absorbed: dict[Id, Id]
) -> Iterator[tuple[Step, Step]]:
    targets = [Step(CREATE, whole), Step(CHANGE, one)]
    needed = set(planner.wanted.needs.get(one, ()))
    parent = planner.wanted.facts[one].parent
    if parent is not None:
        needed.add(parent)
        index = planner.wanted.facts[one].details.get("index")
        for child in planner.wanted.children.get(parent, ()):
            if index and child.kind in INDEXES and child.details["name"] == index:
                needed.add(child.id)
    fact = planner.wanted.facts[one]
    if fact.kind == "constraint" and fact.details["type"] == "f":
        # It refers to a key of which no partition is left out.
        needed.update(*[_attachments(planner.wanted, other) for other in needed])
    if fact.kind == "partition" and parent is not None:
        # What it doesn't bring, PostgreSQL would make by itself, under other names.
        siblings = planner.wanted.children.get(parent, ())
        needed.update(child.id for child in siblings if _is_attached(child, planner.wanted))
    if fact.kind == "attachment":
        table = planner.wanted.parent_of(planner.wanted.parent_of(fact))
        needed.update(child.id for child in planner.wanted.children_of(table, "partition"))
    for other in needed:
        for source in _coming(other, absorbed):
            yield from ((source, target) for target in targets if target.id != source.id)
