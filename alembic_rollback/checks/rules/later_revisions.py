"""Revisions that stay applied above the plan, and use what it drops."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alembic_rollback.catalog import objects
from alembic_rollback.catalog.dependencies import PG_CLASS, Address
from alembic_rollback.checks.simulation import Failure, World, follow
from alembic_rollback.checks.simulation.names import Names
from alembic_rollback.checks.simulation.origins import made_by, used_by
from alembic_rollback.checks.subject import Said, Subject
from alembic_rollback.model import Revision
from alembic_rollback.sql.effects import Effect, effects, named_relations, sets_search_path
from alembic_rollback.sql.names import quote_identifier, quote_name

if TYPE_CHECKING:
    from alembic_rollback.sql.script import Script

_MOST_NAMES = 3
"""Objects that one revision is said to use."""
_NEARLY_CUT = 60
"""Bytes of a name above which it may have been written longer: NAMEDATALEN, less a character."""
_Addresses = frozenset[Address]
_NOTHING: _Addresses = frozenset()
_RELATIONS = ("table", "view", "materialized view", "foreign table", "sequence")


def check(subject: Subject) -> Iterator[Said]:
    """Name each later revision that uses what goes, or may use it, and what to take with it."""
    if not subject.plan.later:
        return
    found = _uses(subject)
    last = next(reversed(found.direct), None)
    for revision, used in found.direct.items():
        advice = _together(subject, found.all_together()) if revision is last else ""
        yield Said(f"{revision.title} stays applied and uses {_listed(used)}.", advice)
    for revision in found.unknown:
        yield Said(
            f"{revision.title} stays applied; whether it uses what goes is not known.",
            "If it does, roll it back, too: name its version as well.",
        )


def users(subject: Subject) -> tuple[Revision, ...]:
    """The later revisions that use what the plan takes away, directly."""
    return tuple(_uses(subject).direct) if subject.plan.later else ()


def _uses(subject: Subject) -> _Uses:
    """Found out once for users() and check()."""
    if "later_revisions" not in subject.memory:
        subject.memory["later_revisions"] = _Uses(subject)
    found: _Uses = subject.memory["later_revisions"]
    return found


def _together(subject: Subject, later: list[Revision]) -> str:
    steps = [step.version for step in reversed(subject.plan.steps)]
    versions = " ".join([*steps, *(revision.version for revision in later)])
    return (
        f"Roll back all of them together: alembic rollback-db {versions}, or add --with-dependants."
    )


@dataclass
class _Going:
    """What the plan takes away, or would if nothing stood in its way, and what to call it."""

    relations: dict[Address, str] = field(default_factory=dict)
    """Tables, views, indexes, sequences by their own names."""
    along: dict[Address, str] = field(default_factory=dict)
    """Everything that goes or stands in the way, by the name of what the plan drops."""


class _Uses:
    """Which later revisions use what goes."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.names = Names(subject.connection)
        self.direct: dict[Revision, list[str]] = {}
        """With the names of what they use."""
        self.unknown: list[Revision] = []
        going = _going(subject)
        naming = self._naming(going.along.keys() | going.relations.keys())
        self._preload(revision for revision in subject.plan.later if revision.version in naming)
        partly = any(subject.scripts.get(step.version) is None for step in subject.plan.steps)
        for revision in subject.plan.later:
            readable, used = True, list[str]()
            if revision.version in naming:
                up = subject.ups.get(revision.version)
                readable, used = up is not None, self._used(up, going) if up else []
            if used:
                self.direct[revision] = used
            elif not readable or partly:
                self.unknown.append(revision)

    def _naming(self, addresses: Iterable[Address]) -> set[str]:
        """The later revisions whose text has a name of these objects in it: no other can use them.

        Found by their bare text, because to parse hundreds of scripts takes a second.
        """
        named = _pattern(objects.names_needed(self.subject.connection, addresses))
        texts = self.subject.texts
        later = (revision.version for revision in self.subject.plan.later)
        return {
            version
            for version in later
            if version not in texts or named.search(texts[version].lower())
        }

    def _preload(self, later: Iterable[Revision]) -> None:
        """One query for the relations that all the ups name or make, one for their parts."""
        ups = (self.subject.ups.get(revision.version) for revision in later)
        statements = [statement for up in ups if up for statement in up.statements]
        named = {name[-1] for statement in statements for name in named_relations(statement)}
        named |= {one.node.idxname for one in statements if one.kind == "IndexStmt"} - {""}
        self.names.preload_parts(self.names.relations(named))

    def all_together(self) -> list[Revision]:
        """Those that use it, and those that use what these have made, in the plan's order."""
        self._preload(self.subject.plan.later)
        chosen, made = set[Revision](), _NOTHING
        for revision in self.subject.plan.later:  # each after what it stands on
            up = self.subject.ups.get(revision.version)
            own, named = self._made_and_named(up) if up else (_NOTHING, _NOTHING)
            if revision in self.direct or made & named:
                chosen.add(revision)
                made |= own
        return [revision for revision in self.subject.plan.later if revision in chosen]

    def _used(self, up: Script, going: _Going) -> list[str]:
        made, named = self._made_and_named(up)
        used = [shown for address, shown in going.relations.items() if address in named]
        along = [shown for address, shown in going.along.items() if address in made]
        return list(dict.fromkeys(used or along))

    def _made_and_named(self, up: Script) -> tuple[_Addresses, _Addresses]:
        """What an up makes, and which relations of others it names."""
        with self.names.script(up):
            path = next((one for one in up.statements if sets_search_path(one)), None)
            if path:
                self.names.set_path(path)
            made = made_by(self.names, up)
            return made, used_by(self.names, up) - made


def _pattern(names: Iterable[str]) -> re.Pattern[str]:
    """Finds one of the names in a text in small letters; rather too often than too seldom."""
    # Anything can be written U&"\0061".
    patterns = ["u&"]
    for name in names:
        # A quote in a quoted name is written twice; what was cut off at 63 bytes may be longer.
        end = "" if len(name.encode()) >= _NEARLY_CUT else r"(?![\w$])"
        patterns.append(r"(?<![\w$])" + re.escape(name.lower().replace('"', '""')) + end)
    return re.compile("|".join(patterns))


def _going(subject: Subject) -> _Going:
    going = _Going()
    for step in subject.impact.steps:
        root = ""
        for one in step.objects:  # what is named comes before what goes with it
            if one.action == "dropped":
                root = _plain(one.shown) if one.how == "named" or not root else root
                address = Address(*one.address)
                going.along[address] = root
                if address.classid == PG_CLASS and not address.objsubid:
                    going.relations[address] = _plain(one.shown)
    if any(step.obstacles for step in subject.impact.steps):
        _add_what_fails(subject, going)
    _add_owners(subject, going)
    return going


def _add_what_fails(subject: Subject, going: _Going) -> None:
    """What others stand in the way of stays, and so the impact doesn't have it."""
    world = World(subject.connection)
    for step in subject.plan.steps:
        script = subject.scripts.get(step.version)
        with world.names.script(script) if script else nullcontext():
            for statement in script.statements if script else ():
                wanted = [(one, _relation(world, one)) for one in effects(statement)]
                failures = follow(world, statement).failures
                for effect, relation in wanted if failures else ():
                    if effect.action.startswith("DROP"):
                        _add_wanted(effect, relation, failures, going)


def _relation(world: World, effect: Effect) -> Address | None:
    found = world.relation(effect.name) if effect.kind in _RELATIONS else None
    return found.address if found else None


def _add_wanted(
    effect: Effect, relation: Address | None, failures: Iterable[Failure], going: _Going
) -> None:
    shown = quote_name(effect.name)
    if effect.column:
        shown = f"column {quote_identifier(effect.column)} of table {shown}"
    elif effect.kind not in _RELATIONS:
        shown = f"{effect.kind} {shown}"
    if relation:
        going.relations.setdefault(relation, shown)
    for address in (address for failure in failures for address in failure.about):
        going.along.setdefault(address, shown)


def _add_owners(subject: Subject, going: _Going) -> None:
    """The tables and views whose parts go: a constraint, a trigger, a view's rule, a column."""
    known = [one for one in going.along if one.objid > 0 and one.objsubid < 10_000]
    for address, described in objects.describe(subject.connection, known).items():
        if described.parent:
            going.along.setdefault(described.parent, going.along[address])


def _plain(shown: str) -> str:
    """`purchase_orders` for `table purchase_orders`; other kinds keep their word."""
    words = (f"{kind} " for kind in _RELATIONS if shown.startswith(f"{kind} "))
    return shown.removeprefix(next(words, ""))


def _listed(names: list[str]) -> str:
    if len(names) > _MOST_NAMES:
        names = [*names[: _MOST_NAMES - 1], f"{len(names) - _MOST_NAMES + 1} more"]
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
