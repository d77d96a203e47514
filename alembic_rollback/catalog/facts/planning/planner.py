"""What has to be dropped, changed and made, with all that it takes along."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.planning.matching import (
    INDEXES,
    ROUTINES,
    TYPES,
    Match,
    occupants,
)
from alembic_rollback.catalog.facts.planning.ordering import CHANGE, CREATE, DROP, Step, in_order
from alembic_rollback.catalog.facts.registry import KINDS, Statements
from alembic_rollback.sql.names import quote_identifier

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Id, Snapshot

# PostgreSQL rewrites these by itself when the type of a column changes.
REWRITTEN = ("index", "constraint", "default", "statistics", "column order")
# What a parent table, or the type of a table, says of a column.
INHERITED = ("type", "category", "own type", "collation", "generated", "server options")


@dataclass(frozen=True)
class Plan:
    """What to run next."""

    statements: tuple[str, ...]
    made: tuple[Fact, ...] = ()
    """Tables and columns that are made anew."""
    routines: bool = False
    """It makes functions, whose bodies may name what comes after them."""


class Planner:
    """One round, from a current snapshot to a wanted one."""

    def __init__(
        self,
        current: Snapshot,
        wanted: Snapshot,
        match: Match,
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
        self.places_wanted = occupants(wanted)
        self.places_left: dict[Id, list[tuple[str, str]]] = defaultdict(list)
        for place, ones in occupants(current).items():
            for one in ones:
                self.places_left[one].append(place)

    def removal(self, fact: Fact) -> list[str]:
        """What drops one current fact and all that needs it."""
        self._drop(fact)
        self._settle_drops()
        steps = {Step(DROP, one): self._drop_sql(one) for one, own in self.dropped.items() if own}
        return [sql for _, sqls in in_order(self, steps) for sql in sqls]

    def plan(self) -> Plan:
        """Everything but renames."""
        ordered = [sql for _, statements in self.steps() for sql in statements]
        made = tuple(f for f in self.created.values() if self._holds_rows(f))
        changed = (self.wanted.facts[one] for one in self.changed)
        routines = any(fact.kind in ROUTINES for fact in (*self.created.values(), *changed))
        return Plan(tuple(ordered), made, routines)

    def steps(self) -> list[tuple[Step, list[str]]]:
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
                shape = {key: new.details.get(key) for key in INHERITED}
                old = replace(old, details={**old.details, **shape})
                self.changed[new.id] = kind.change(old, new, self.wanted) or ()
            return
        statements = kind.change(old, new, self.wanted)
        columns = (one.kind == "column" for one in self.dependents(old))
        if new.kind in TYPES and kind.disturbs(old, new) and any(columns):
            statements = None
        if statements is not None:
            self.changed[new.id] = statements
            if kind.disturbs(old, new):
                self._disturb(old)
        elif new.kind in TYPES:
            self._rebuild(old, new)
        elif not (kind.inherent(new) and new.kind != "owner"):
            self._drop(old)

    def _disturb(self, column: Fact) -> None:
        """What stands on a column whose type changes goes before and comes again."""
        for dependent in self.dependents(column):
            if dependent.kind not in REWRITTEN:
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
                if self.current.facts[owner].kind in INDEXES:
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
        if index.kind not in INDEXES or not any(self.current.children_of(index, "attachment")):
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

    def _ordered(self) -> list[tuple[Step, list[str]]]:
        self.created = {
            one: fact
            for one, fact in self.created.items()
            if not KINDS[fact.kind].inherent(fact) or self._parent_comes(fact)
        }
        self.absorbed = self._absorbed()
        self._settle_drops()
        steps: dict[Step, list[str]] = {}
        for one, by_itself in self.dropped.items():
            if by_itself:
                steps[Step(DROP, one)] = self._drop_sql(one)
        for one, statements in self.changed.items():
            steps[Step(CHANGE, one)] = list(statements)
        for one, columns in self.rebuilt.items():
            kept = [column for column in columns if column.id not in self.created]
            steps[Step(CHANGE, one)] = self._rebuild_sql(self.wanted.facts[one], kept)
        for one, fact in self.created.items():
            if one not in self.absorbed:
                steps[Step(CREATE, one)] = self._create_sql(fact)
        return in_order(self, steps, self.absorbed)

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

    def detour(self, waiting: Iterable[Step]) -> tuple[Step, list[str]] | None:
        """In a circle of tables that refer to each other: a foreign key that goes first."""
        tables = {step.id for step in waiting if step.how == DROP}
        for one, by_itself in self.dropped.items():
            fact = self.current.facts[one]
            foreign = fact.kind == "constraint" and fact.details["type"] == "f"
            foreign = foreign and not KINDS["constraint"].inherent(fact)
            if foreign and not by_itself and fact.parent in tables:
                self.dropped[one] = True
                return Step(DROP, one), self._drop_sql(one)
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
