"""Current catalog, wanted catalog → the statements that lead from one to the other, in order.

Each fact that differs becomes a step: dropped, changed or made. What a step needs and what needs
it (pg_depend, in the snapshot in which it holds) gives the order; where that leaves a choice, what
goes comes first, and of what is made, the lower rank.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from alembic_rollback.catalog.facts.model import Fact, Id, Snapshot
from alembic_rollback.catalog.facts.registry import KINDS, Statements
from alembic_rollback.sql.names import quote_identifier

_TYPES = ("enum", "composite type", "domain", "range type")
_INDEXES = ("index", "constraint")
_ROUTINES = ("function", "procedure", "aggregate")
_RELATIONS = ("table", "view", "materialized view", "sequence", "index", "composite type")
# PostgreSQL rewrites these by itself when the type of a column changes.
_REWRITTEN = ("index", "constraint", "default", "statistics", "column order")
# What a parent table, or the type of a table, says of a column.
_INHERITED = ("type", "category", "own type", "collation", "generated", "server options")
_DROP, _CHANGE, _CREATE = range(3)


@dataclass(frozen=True)
class Plan:
    """What to run next."""

    statements: tuple[str, ...]
    made: tuple[Fact, ...] = ()
    """Tables and columns that are made anew."""
    routines: bool = False
    """It makes functions, whose bodies may name what comes after them."""


class _Step(NamedTuple):
    how: int
    id: Id
    """Of the current fact for what is dropped, of the wanted one for the rest."""


@dataclass
class _Match:
    """Which current fact is which wanted one."""

    wanted: dict[Id, Fact] = field(default_factory=dict)
    """By current id."""
    current: dict[Id, Fact] = field(default_factory=dict)
    """By wanted id."""


def plan(current: Snapshot, wanted: Snapshot, *, same: bool) -> Plan:
    """The next round: renames if there are any, else everything else."""
    match = _matched(current, wanted, same=same)
    renames = _renames(current, wanted, match)
    if renames.statements:
        return renames
    planner = _Planner(current, wanted, match)
    found = planner.plan()
    if planner.circular:
        # What could stay by a change that comes first is dropped and made again instead.
        planner = _Planner(current, wanted, match, outliving=False)
        found = planner.plan()
    if not found.statements:
        # What a parent, or the type of a table, had to bring first.
        found = _Planner(current, wanted, match, inherited=True).plan()
    return found


def making(wanted: Snapshot, missing: Collection[Id]) -> list[tuple[Id, Statements]]:
    """What makes some facts of a snapshot where all others are there: by fact, in order.

    What comes with another, such as a table's columns, has nothing of its own.
    """
    rest = {one: fact for one, fact in wanted.facts.items() if one not in missing}
    current = replace(wanted, facts=rest)
    steps = _Planner(current, wanted, _matched(current, wanted, same=True)).steps()
    return [(step.id, statements) for step, statements in steps]


def _matched(current: Snapshot, wanted: Snapshot, *, same: bool) -> _Match:
    match = _Match()
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


def _renames(current: Snapshot, wanted: Snapshot, match: _Match) -> Plan:
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
    pairs: list[tuple[Fact, Fact]], current: Snapshot, wanted: Snapshot, match: _Match
) -> tuple[str, ...]:
    planner, statements = _Planner(current, wanted, match), list[str]()
    occupants = _occupants(current)
    for old, new in pairs:
        for occupant in occupants.get(_place(new, wanted), ()) if old.key != new.key else ():
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
        taken = {_place(old, current) for old, _ in waiting}
        free = [one for one in waiting if _place(one[1], wanted) not in taken]
        if free:
            found += free
            waiting = [one for one in waiting if one not in free]
        else:
            # The next round gives it the name that it should have.
            old, new = waiting.pop(0)
            aside = {**old.details, "name": f"{new.details['name'][:58]}_aside"}
            found.append((old, replace(new, details=aside)))
    return found


def _place(fact: Fact, snapshot: Snapshot) -> tuple[str, str]:
    """The name that no other object can have at the same time: in one space with other kinds."""
    if fact.kind in _RELATIONS or fact.kind in _TYPES:
        return ("relation", fact.key)
    if fact.kind in _ROUTINES:
        return ("routine", fact.key)
    if fact.kind == "constraint" and fact.details["type"] in "pux":
        schema = snapshot.parent_of(fact).details["schema"]
        name = ".".join(map(quote_identifier, (schema, fact.details["name"])))
        return ("relation", name)
    return (fact.kind, fact.key)


def _occupants(snapshot: Snapshot) -> dict[tuple[str, str], list[Id]]:
    found: dict[tuple[str, str], list[Id]] = defaultdict(list)
    for one, fact in snapshot.facts.items():
        found[_place(fact, snapshot)].append(one)
        identity = fact.details.get("identity") if fact.kind == "column" else None
        if identity:
            schema = snapshot.parent_of(fact).details["schema"]
            name = ".".join(map(quote_identifier, (schema, identity["sequence"])))
            found["relation", name].append(one)
    return found


class _Planner:
    def __init__(
        self,
        current: Snapshot,
        wanted: Snapshot,
        match: _Match,
        *,
        outliving: bool = True,
        inherited: bool = False,
    ) -> None:
        self.current, self.wanted, self.match = current, wanted, match
        self.outliving, self.inherited = outliving, inherited
        self.circular = False
        """Whether the order had to ignore something."""
        self.dropped: dict[Id, bool] = {}
        """What goes: True where a statement of its own takes it."""
        self.changed: dict[Id, Statements] = {}
        """By wanted id."""
        self.created: dict[Id, Fact] = {}
        self.rebuilt: dict[Id, list[Fact]] = {}
        """Types that are made again under their columns, by wanted id."""
        self.absorbed: dict[Id, Id] = {}
        """What another one's statement makes along → the other one."""
        self.places_wanted = _occupants(wanted)
        self.places_left: dict[Id, list[tuple[str, str]]] = defaultdict(list)
        for place, ones in _occupants(current).items():
            for one in ones:
                self.places_left[one].append(place)

    def removal(self, fact: Fact) -> list[str]:
        """What drops one current fact and all that needs it."""
        self._drop(fact)
        self._settle_drops()
        steps = {_Step(_DROP, one): self._drop_sql(one) for one, own in self.dropped.items() if own}
        return [sql for _, sqls in _sorted(self, steps) for sql in sqls]

    def plan(self) -> Plan:
        """Everything but renames."""
        ordered = [sql for _, statements in self.steps() for sql in statements]
        made = tuple(f for f in self.created.values() if self._holds_rows(f))
        changed = (self.wanted.facts[one] for one in self.changed)
        routines = any(fact.kind in _ROUTINES for fact in (*self.created.values(), *changed))
        return Plan(tuple(ordered), made, routines)

    def steps(self) -> list[tuple[_Step, list[str]]]:
        """The same, by step."""
        for fact in self.current.facts.values():
            if fact.id not in self.match.wanted and not KINDS[fact.kind].inherent(fact):
                self._drop(fact)
        for fact in self.wanted.facts.values():
            old = self.match.current.get(fact.id)
            if old is None:
                self._create(fact)
            elif old.id not in self.dropped:
                self._compare(old, fact)
        return self._ordered()

    # What has to be done -------------------------------------------------------------------

    def _compare(self, old: Fact, new: Fact) -> None:
        kind = KINDS[new.kind]
        if kind.equal(old, new) or new.id in self.changed:
            return
        if new.kind == "column" and kind.inherent(new):
            if self.inherited:
                shape = {key: new.details.get(key) for key in _INHERITED}
                old = replace(old, details={**old.details, **shape})
                self.changed[new.id] = kind.change(old, new, self.wanted) or ()
            return
        statements = kind.change(old, new, self.wanted)
        columns = (one.kind == "column" for one in self.dependents(old))
        if new.kind in _TYPES and kind.disturbs(old, new) and any(columns):
            statements = None
        if statements is not None:
            self.changed[new.id] = statements
            if kind.disturbs(old, new):
                self._disturb(old)
        elif new.kind in _TYPES:
            self._rebuild(old, new)
        elif not (kind.inherent(new) and new.kind != "owner"):
            self._drop(old)

    def _disturb(self, column: Fact) -> None:
        """What stands on a column whose type changes goes before and comes again."""
        for dependent in self.dependents(column):
            if dependent.kind not in _REWRITTEN:
                self._drop(dependent)
        for default in self.current.children_of(column, "default"):
            self._drop(default)

    def _rebuild(self, old: Fact, new: Fact) -> None:
        """Make a type again under its columns; all else that needs it goes and comes again."""
        columns = []
        for dependent in self.dependents(old):
            wanted = self.match.wanted.get(dependent.id)
            if dependent.kind != "column":
                if not (dependent.kind == "constraint" and dependent.parent == old.id):
                    self._drop(dependent)
            elif wanted is not None and dependent.id not in self.dropped:
                if not KINDS["column"].inherent(dependent) and (
                    dependent.details["type"] == wanted.details["type"]
                ):
                    columns.append(wanted)
                self._disturb(dependent)
        self.rebuilt[new.id] = columns
        self.created.update({one.id: one for one in self.wanted.children.get(new.id, ())})
        for child in self.current.children.get(old.id, ()):
            self.dropped.setdefault(child.id, False)

    def dependents(self, fact: Fact) -> list[Fact]:
        """What needs a current fact."""
        needing = self.current.needed_by.get(fact.id, set())
        silent = self.current.takes_along.get(fact.id, set())
        return [self.current.facts[one] for one in sorted(needing | silent) if one.aspect == ""]

    def _drop(self, fact: Fact, *, by_itself: bool = True) -> None:
        """Take a fact away with its parts and all that needs it; what is wanted comes again."""
        known = self.dropped.get(fact.id)
        if known is not None:
            return
        if by_itself and self._attached(fact):
            # It only goes with the index that it is attached to.
            index = fact.parent if fact.kind == "attachment" and fact.parent else fact.id
            for owner in sorted(self.current.goes_with.get(index, ())):
                if self.current.facts[owner].kind in _INDEXES:
                    self._drop(self.current.facts[owner])
                    by_itself = False
        self.dropped[fact.id] = by_itself and not KINDS[fact.kind].inherent(fact)
        wanted = self.match.wanted.get(fact.id)
        if wanted is not None:
            self.changed.pop(wanted.id, None)
            self._create(wanted)
        for child in self.current.children.get(fact.id, ()):
            self._drop(child, by_itself=False)
        for dependent in self.dependents(fact):
            if not self._outlives(dependent, fact):
                silent = (dependent.id, fact.id) in self.current.automatic
                self._drop(dependent, by_itself=not silent)

    def _attached(self, fact: Fact) -> bool:
        """Whether it is, or belongs to, an index that stays attached to another's."""
        index = self.current.parent_of(fact) if fact.kind == "attachment" else fact
        if index.kind not in _INDEXES or not any(self.current.children_of(index, "attachment")):
            return False
        table = self.current.parent_of(index)
        for partition in self.current.children_of(table, "partition"):
            wanted = self.match.wanted.get(partition.id)
            return wanted is not None and KINDS["partition"].equal(partition, wanted)
        return False

    def _outlives(self, dependent: Fact, fact: Fact) -> bool:
        """Whether a change of the dependent ends its need of a fact that goes for good."""
        wanted = self.match.wanted.get(dependent.id)
        if wanted is None or fact.id in self.match.wanted or not self.outliving:
            return False
        if KINDS[wanted.kind].equal(dependent, wanted):
            return False
        return KINDS[wanted.kind].change(dependent, wanted, self.wanted) is not None

    def _create(self, fact: Fact) -> None:
        if fact.id in self.created:
            return
        if KINDS[fact.kind].inherent(fact) and not self._parent_comes(fact):
            return
        self.created[fact.id] = fact
        for child in self.wanted.children.get(fact.id, ()):
            old = self.match.current.get(child.id)
            if old is None or old.id in self.dropped:
                self._create(child)

    def _parent_comes(self, fact: Fact) -> bool:
        if fact.parent is None:
            return False
        old = self.match.current.get(fact.parent)
        return fact.parent in self.created or old is None or old.id in self.dropped

    # In which order ------------------------------------------------------------------------

    def _ordered(self) -> list[tuple[_Step, list[str]]]:
        self.created = {
            one: fact
            for one, fact in self.created.items()
            if not KINDS[fact.kind].inherent(fact) or self._parent_comes(fact)
        }
        self.absorbed = self._absorbed()
        self._settle_drops()
        steps: dict[_Step, list[str]] = {}
        for one, by_itself in self.dropped.items():
            if by_itself:
                steps[_Step(_DROP, one)] = self._drop_sql(one)
        for one, statements in self.changed.items():
            steps[_Step(_CHANGE, one)] = list(statements)
        for one, columns in self.rebuilt.items():
            kept = [column for column in columns if column.id not in self.created]
            steps[_Step(_CHANGE, one)] = self._rebuild_sql(self.wanted.facts[one], kept)
        for one, fact in self.created.items():
            if one not in self.absorbed:
                steps[_Step(_CREATE, one)] = self._create_sql(fact)
        return _sorted(self, steps, self.absorbed)

    def _holds_rows(self, fact: Fact) -> bool:
        if fact.kind == "column":
            return fact.id not in self.absorbed and not fact.details.get("generated")
        return fact.kind == "table"

    def _absorbed(self) -> dict[Id, Id]:
        found: dict[Id, Id] = {}
        for one, fact in sorted(self.created.items(), key=lambda item: item[1].kind != "table"):
            if one not in found:
                for part in KINDS[fact.kind].absorbs(fact, self.wanted):
                    if part in self.created:
                        found[part] = one
        return found

    def _settle_drops(self) -> None:
        """What goes with another needs no statement of its own, whatever was found first."""
        for one in self.dropped:
            if self._silent_owner(one) is not None:
                self.dropped[one] = False

    def _silent_owner(self, one: Id) -> Id | None:
        parent = self.current.facts[one].parent
        if parent in self.dropped:
            return parent
        owners = self.current.goes_with.get(one, ())
        return next((other for other in sorted(owners) if other in self.dropped), None)

    def carrier(self, one: Id) -> Id:
        """What goes by a statement and takes the given fact along; itself, if it is that."""
        seen = {one}
        while not self.dropped.get(one, True):
            owner = self._silent_owner(one)
            if owner is None or owner in seen:
                break
            seen.add(owner)
            one = owner
        return one

    def detour(self, waiting: Iterable[_Step]) -> tuple[_Step, list[str]] | None:
        """In a circle of tables that refer to each other: a foreign key that goes first."""
        tables = {step.id for step in waiting if step.how == _DROP}
        for one, by_itself in self.dropped.items():
            fact = self.current.facts[one]
            foreign = fact.kind == "constraint" and fact.details["type"] == "f"
            foreign = foreign and not KINDS["constraint"].inherent(fact)
            if foreign and not by_itself and fact.parent in tables:
                self.dropped[one] = True
                return _Step(_DROP, one), self._drop_sql(one)
        return None

    def _drop_sql(self, one: Id) -> list[str]:
        fact = self.current.facts[one]
        return list(KINDS[fact.kind].drop(fact, self.current)) if self.dropped[one] else []

    def _create_sql(self, fact: Fact) -> list[str]:
        found = list(KINDS[fact.kind].create(fact, self.wanted))
        for part, whole in self.absorbed.items():
            if whole == fact.id:
                other = self.wanted.facts[part]
                found += KINDS[other.kind].settings(other, self.wanted)
        return found

    def _rebuild_sql(self, new: Fact, columns: list[Fact]) -> list[str]:
        kind = KINDS[new.kind]
        if new.kind == "range type":
            # Its functions and its multirange would be in the way of the new one's.
            through = [(column, "text") for column in columns]
            back = [(column, column.details["type"]) for column in columns]
            drop = kind.drop(self.match.current[new.id], self.current)
            make = kind.create(new, self.wanted)
            return [*self._converted(through), *drop, *make, *self._converted(back)]
        noun = "DOMAIN" if new.kind == "domain" else "TYPE"
        aside = quote_identifier(f"{new.details['name']}_old")
        schema = new.name.removesuffix(quote_identifier(new.details["name"]))
        found = [f"ALTER {noun} {new.name} RENAME TO {aside}", *kind.create(new, self.wanted)]
        found += self._converted((column, column.details["type"]) for column in columns)
        return [*found, f"DROP {noun} {schema}{aside}"]

    def _converted(self, columns: Iterable[tuple[Fact, str]]) -> list[str]:
        """What gives columns other types, by way of text."""
        found = []
        for column, shown in columns:
            table, name = (
                self.wanted.parent_of(column).name,
                quote_identifier(column.details["name"]),
            )
            alter = f"ALTER COLUMN {name} TYPE {shown} USING {name}::text::{shown}"
            found.append(f"ALTER TABLE {table} {alter}")
        return found


def _sorted(
    planner: _Planner, steps: dict[_Step, list[str]], absorbed: dict[Id, Id] | None = None
) -> list[tuple[_Step, list[str]]]:
    after: dict[_Step, set[_Step]] = defaultdict(set)
    before: dict[_Step, set[_Step]] = {step: set() for step in steps}
    for one, other in _edges(planner, steps, absorbed or {}):
        if one != other and one in steps and other in steps:
            after[one].add(other)
            before[other].add(one)
    places = {step: place for place, step in enumerate(steps)}

    def priority(step: _Step) -> tuple[int, int, int]:
        facts = planner.current.facts if step.how == _DROP else planner.wanted.facts
        rank = KINDS[facts[step.id].kind].rank
        return (step.how, -rank if step.how == _DROP else rank, places[step])

    ready = [(priority(step), step) for step, others in before.items() if not others]
    heapify(ready)
    found: list[tuple[_Step, list[str]]] = []
    while before:
        circle = set() if ready else _circle(before, after)
        detour = planner.detour(circle)
        if detour is not None:
            # The edges are others now that a foreign key goes by itself.
            rest = {step: steps[step] for step in before}
            return [*found, detour, *_sorted(planner, rest, absorbed)]
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


def _circle(before: Mapping[_Step, set[_Step]], after: Mapping[_Step, set[_Step]]) -> set[_Step]:
    """Steps that wait for each other, and for nothing else."""
    start = next(iter(before))
    while True:
        waited = _reached(start, before, before)
        outside = waited - _reached(start, after, before)
        if not outside:
            return waited
        start = min(outside)


def _reached(
    start: _Step, links: Mapping[_Step, set[_Step]], waiting: Mapping[_Step, set[_Step]]
) -> set[_Step]:
    found, following = {start}, [start]
    while following:
        for one in links.get(following.pop(), ()):
            if one in waiting and one not in found:
                found.add(one)
                following.append(one)
    return found


def _edges(
    planner: _Planner, steps: Iterable[_Step], absorbed: dict[Id, Id]
) -> Iterator[tuple[_Step, _Step]]:
    """(what comes before, what comes after)."""
    for one in planner.dropped:
        yield from _edges_of_drop(planner, one, absorbed)
    for one, whole in [*absorbed.items(), *((step.id, step.id) for step in steps)]:
        if one in planner.wanted.facts:
            yield from _edges_of_making(planner, one, whole, absorbed)


def _is_attached(index: Fact, wanted: Snapshot) -> bool:
    return index.kind in _INDEXES and any(wanted.children_of(index, "attachment"))


def _attachments(wanted: Snapshot, one: Id) -> Iterator[Id]:
    """What attaches the indexes of partitions to a wanted one."""
    for child in wanted.takes_along.get(one, ()):
        fact = wanted.facts[child]
        if fact.kind in _INDEXES:
            yield from (attachment.id for attachment in wanted.children_of(fact, "attachment"))
            yield from _attachments(wanted, child)


def _coming(one: Id, absorbed: dict[Id, Id]) -> list[_Step]:
    """The steps that bring a wanted fact to what it should be."""
    return [_Step(_CREATE, absorbed.get(one, one)), _Step(_CHANGE, one)]


def _edges_of_drop(
    planner: _Planner, one: Id, absorbed: dict[Id, Id]
) -> Iterator[tuple[_Step, _Step]]:
    current, match = planner.current, planner.match
    step, fact = _Step(_DROP, planner.carrier(one)), current.facts[one]
    for dependent in planner.dependents(fact):
        yield _Step(_DROP, planner.carrier(dependent.id)), step
        counterpart = match.wanted.get(dependent.id)
        if counterpart is not None:
            yield _Step(_CHANGE, counterpart.id), step
    counterpart = match.wanted.get(one)
    if counterpart is not None:
        yield from ((step, other) for other in _coming(counterpart.id, absorbed))
    others = [*current.needs.get(one, ()), *([fact.parent] if fact.parent else ())]
    for counterpart in filter(None, map(match.wanted.get, others)):
        if planner.dropped[one]:
            yield step, _Step(_CHANGE, counterpart.id)
    # The name has to be free.
    for place in planner.places_left.get(one, ()):
        for successor in planner.places_wanted.get(place, ()):
            yield from ((step, other) for other in _coming(successor, absorbed))


def _edges_of_making(
    planner: _Planner, one: Id, whole: Id, absorbed: dict[Id, Id]
) -> Iterator[tuple[_Step, _Step]]:
    targets = [_Step(_CREATE, whole), _Step(_CHANGE, one)]
    needed = set(planner.wanted.needs.get(one, ()))
    parent = planner.wanted.facts[one].parent
    if parent is not None:
        needed.add(parent)
        index = planner.wanted.facts[one].details.get("index")
        for child in planner.wanted.children.get(parent, ()):
            if index and child.kind in _INDEXES and child.details["name"] == index:
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
