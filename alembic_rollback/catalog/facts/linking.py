"""What needs what: pg_depend, among facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from alembic_rollback.catalog.facts.model import Fact, Id, Snapshot

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.asking import Asking

Link: TypeAlias = tuple[Id, Id, str]
"""Dependent, referenced, and pg_depend.deptype."""

_EDGES = (
    "SELECT classid, objid, objsubid, refclassid, refobjid, refobjsubid, "
    "CAST(deptype AS text) FROM pg_depend WHERE objid >= 16384 AND refobjid >= 16384 "
)
# A partition's clone is part of what it is cloned from rather than of the partition.
_ORDER = "ORDER BY deptype <> 'P'"
_PARTS = "iPSe"
"""What is part of another, and has no fact of its own, counts as the other: pg_depend.deptype."""
_SILENT = "aiPS"
"""What goes with what it depends on, without CASCADE."""


def links(asking: Asking) -> Sequence[Link]:
    """All of them, those first that say most."""
    return _links(asking.rows("edges", _EDGES + _ORDER))


def links_again(asking: Asking, known: Iterable[Link], changed: Iterable[int]) -> Sequence[Link]:
    """All of them, with only those of some dependents read again."""
    oids = frozenset(changed)
    if not oids:
        return list(known)
    rows = asking.rows("edges again", _EDGES + "AND objid = ANY ($1)", [oids], ["oid[]"])
    found = [one for one in known if one[0].objid not in oids]
    return sorted((*found, *_links(rows)), key=lambda link: link[2] != "P")


def _links(rows: Iterable[Any]) -> list[Link]:
    return [(Id(row[0], row[1], row[2]), Id(row[3], row[4], row[5]), row[6]) for row in rows]


def linked(facts: Mapping[Id, Fact], edges: Iterable[Link]) -> Snapshot:
    """The facts, with what each of them needs."""
    wholes: dict[Id, Id] = {}
    for one, other, how in edges:
        if (how in _PARTS or how == "a") and one not in facts:
            wholes.setdefault(one, other)
    needs: dict[Id, set[Id]] = defaultdict(set)
    automatic = set()
    for one, other, how in edges:
        dependent = one if one in facts else _whole(one, facts, wholes)
        referenced = other if other in facts else _whole(other, facts, wholes)
        if dependent is None or referenced is None or dependent == referenced:
            continue
        if how in _SILENT and dependent == one:
            automatic.add((dependent, referenced))
        if how == "a":
            # A sequence does without the column that owns it, its ownership doesn't.
            owned = dependent._replace(aspect="sequence ownership")
            needs[owned if owned in facts else dependent].add(referenced)
        else:
            needs[dependent].add(referenced)
    for one, others in needs.items():
        # The functions of a base type and the type need each other, and go together.
        if one in facts and facts[one].kind == "base type":
            automatic |= {(other, one) for other in others if one in needs.get(other, ())}
    frozen = {one: frozenset(others) for one, others in needs.items()}
    return Snapshot(facts, frozen, frozenset(automatic))


def _whole(one: Id, facts: Mapping[Id, Fact], wholes: Mapping[Id, Id]) -> Id | None:
    """The fact that stands for the object, following what it is part of."""
    for _ in range(8):
        if one in facts:
            return one
        following = wholes.get(one)
        if following is None:
            # A column without a fact of its own (of an index, a view) is its relation.
            if one.objsubid and one.object._replace(objsubid=0) in facts:
                return one.object._replace(objsubid=0)
            following = wholes.get(one._replace(objsubid=0))
            if following is None:
                return None
        one = following
    return None
