"""What has to be there before what: pg_depend among the given objects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from heapq import heappop, heappush

from alembic_rollback.catalog.definitions.model import Address
from alembic_rollback.catalog.definitions.reader import GIVEN, Reader

# pg_depend doesn't see into a function's body: what its text may name comes early, what runs it
# (a materialized view that is filled, an event trigger that fires on all the rest) late.
_FIRST = (
    "type",
    "domain constraint",
    "function",
    "procedure",
    "aggregate",
    "operator",
    "cast",
    "sequence",
    "default value",
    "view",
    "table constraint",
)
_LAST = (
    "materialized view",
    "index",
    "statistics object",
    "rule",
    "trigger",
    "policy",
    "publication relation",
    "publication namespace",
    "event trigger",
)
_RANK = {
    **{kind: place - len(_FIRST) for place, kind in enumerate(_FIRST)},
    **{kind: place + 1 for place, kind in enumerate(_LAST)},
}

_EDGES = (
    "WITH RECURSIVE part AS ("
    "SELECT given.classid AS whole_class, given.objid AS whole_oid, given.objsubid AS whole_sub, "
    f"given.classid, given.objid, given.objsubid FROM {GIVEN} UNION "
    # A view depends on others through its rule, a composite type through its relation, and what
    # needs a unique constraint needs its index, also the index of a partition.
    "SELECT part.whole_class, part.whole_oid, part.whole_sub, d.classid, d.objid, 0 "
    "FROM part JOIN pg_depend d ON d.refclassid = part.classid AND d.refobjid = part.objid "
    "AND (part.objsubid = 0 OR part.objsubid = d.refobjsubid) AND d.deptype IN ('i', 'P')) "
    "SELECT DISTINCT one.whole_class, one.whole_oid, one.whole_sub, "
    "other.whole_class, other.whole_oid, other.whole_sub "
    "FROM part one JOIN pg_depend d ON d.classid = one.classid AND d.objid = one.objid "
    "AND (one.objsubid = 0 OR one.objsubid = d.objsubid) "
    "JOIN part other ON d.refclassid = other.classid AND d.refobjid = other.objid "
    "AND (other.objsubid = 0 OR other.objsubid = d.refobjsubid)"
)


def ordered(reader: Reader, kinds: Mapping[Address, str]) -> list[Address]:
    """The objects, each behind those that it depends on; otherwise by kind and age."""
    needs: dict[Address, set[Address]] = {address: set() for address in kinds}
    needed: dict[Address, set[Address]] = defaultdict(set)
    for row in reader.addressed(_EDGES):
        one, other = (row[0], row[1], row[2]), (row[3], row[4], row[5])
        if one != other:
            needs[one].add(other)
            needed[other].add(one)
    return _sorted(needs, needed, {one: (_RANK.get(kind, 0), one) for one, kind in kinds.items()})


def _sorted(
    needs: dict[Address, set[Address]],
    needed: Mapping[Address, set[Address]],
    ranks: Mapping[Address, tuple[int, Address]],
) -> list[Address]:
    ready: list[tuple[int, Address]] = []
    for address, others in needs.items():
        if not others:
            heappush(ready, ranks[address])
    found: list[Address] = []
    while needs:
        # Objects in a circle (a function and the type that it belongs to) come by kind.
        rank = heappop(ready) if ready else min(ranks[one] for one in needs)
        address = rank[1]
        found.append(address)
        del needs[address]
        for other in needed.get(address, ()):
            if other in needs:
                needs[other].discard(address)
                if not needs[other]:
                    heappush(ready, ranks[other])
    return found
