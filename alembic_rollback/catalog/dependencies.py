"""What goes with an object: pg_depend around it, and PostgreSQL's own rules for following it.

Source: the comments of dependency.c and PostgreSQL, 5.15 Dependency Tracking and 53.18 pg_depend.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

# The oids of the system catalogs themselves never change (src/include/catalog).
PG_ATTRDEF, PG_CLASS, PG_CONSTRAINT = 2604, 1259, 2606
PG_COLLATION = 3456
PG_NAMESPACE, PG_POLICY, PG_PROC, PG_PUBLICATION_REL = 2615, 3256, 1255, 6106
PG_REWRITE, PG_STATISTIC_EXT, PG_TRIGGER, PG_TYPE = 2618, 3381, 2620, 1247

NORMAL = "n"
_PARTITION = "PS"
_OWNING = "iePS"
"""Kinds of edges that also run the other way: such an object cannot go without its owner."""


class Address(NamedTuple):
    """An object as pg_depend names it; a column has its table's oid and its own number."""

    classid: int
    objid: int
    objsubid: int = 0

    @property
    def whole(self) -> Address:
        """The object itself, or the table of a column."""
        return Address(self.classid, self.objid) if self.objsubid else self


class Edge(NamedTuple):
    """`dependent` needs `referenced`."""

    dependent: Address
    referenced: Address
    kind: str
    """pg_depend.deptype."""


_Whole = tuple[int, int]
"""An address without its column, `address[:2]`: made much faster than an Address."""


@dataclass
class Deletion:
    """What one DROP takes away."""

    originals: tuple[Address, ...]
    reached: dict[Address, Address | None] = field(default_factory=dict)
    """Everything that goes, with what it was reached from; None for an original."""
    cascaded: set[Address] = field(default_factory=set)
    """What goes only because of CASCADE: PostgreSQL names these in its NOTICE."""
    held: list[tuple[Address, Address]] = field(default_factory=list)
    """(object, owner): it cannot be dropped, because the owner requires it."""

    def __contains__(self, address: Address) -> bool:
        return address in self.reached or address.whole in self.reached


class Dependencies:
    """The part of pg_depend that can matter to some objects, and changes to it."""

    def __init__(self) -> None:
        # Ordered sets: a schema has as many users as a plan is long, and each goes one by one.
        self._uses: dict[_Whole, dict[Edge, None]] = defaultdict(dict)
        self._users: dict[_Whole, dict[Edge, None]] = defaultdict(dict)
        self._known: set[_Whole] = set()
        self._cut: set[Edge] = set()
        self._gone: set[Address] = set()

    def read(self, connection: Connection, objects: Iterable[Address]) -> None:
        """Read what depends on the objects, directly or not, and on what they are parts of."""
        every = {address[:2] for address in objects if address.objid > 0}
        wanted = every.difference(self._known)
        if not wanted:
            return
        for edge, is_inside in _edges(connection, wanted):
            if is_inside:
                self._known.add(edge.dependent[:2])
                self._known.add(edge.referenced[:2])
            if edge not in self._cut and not self._is_gone(edge.dependent):
                self.add(edge)
        self._known |= wanted

    def known(self, classid: int) -> list[Address]:
        """The objects of one catalog around which everything has been read."""
        return [Address(*whole) for whole in self._known if whole[0] == classid]

    def add(self, edge: Edge) -> None:
        """Let one object depend on another."""
        self._uses[edge.dependent[:2]][edge] = None
        self._users[edge.referenced[:2]][edge] = None

    def drop(self, edge: Edge) -> None:
        """Let one object no longer depend on another, also where the catalog is read again."""
        self._cut.add(edge)
        del self._uses[edge.dependent[:2]][edge]
        del self._users[edge.referenced[:2]][edge]

    def forget(self, addresses: Iterable[Address]) -> None:
        """Take objects out that are gone."""
        for address in addresses:
            self._gone.add(address)
            # A partition key's column and its table are both ends of one edge.
            for edge in {*self.uses(address), *self.users(address)}:
                self.drop(edge)

    def _is_gone(self, address: Address) -> bool:
        return address in self._gone or address.whole in self._gone

    def uses(self, address: Address) -> list[Edge]:
        """What an object depends on; of a table, also what its columns depend on."""
        found = self._uses.get(address[:2], ())
        number = address.objsubid
        return [edge for edge in found if not number or edge.dependent.objsubid == number]

    def users(self, address: Address) -> list[Edge]:
        """What depends on an object; of a table, also what depends on its columns."""
        found = self._users.get(address[:2], ())
        number = address.objsubid
        return [edge for edge in found if not number or edge.referenced.objsubid == number]

    def deletion(self, originals: Iterable[Address]) -> Deletion:
        """What dropping the objects together takes away (findDependentObjects)."""
        return _Search(self, tuple(originals)).run()


class _Search:
    def __init__(self, graph: Dependencies, originals: tuple[Address, ...]) -> None:
        self.graph, self.found = graph, Deletion(originals)
        self.kinds: dict[Address, set[str]] = defaultdict(set)
        self.owners: dict[Address, list[Address]] = {}
        """Of parts that go only if one of the owners does: partitions' indexes and the like."""

    def run(self) -> Deletion:
        pending: list[tuple[Address, str, Address | None]] = [
            (original, "", None) for original in self.found.originals
        ]
        while pending:
            address, kind, source = pending.pop()
            self.kinds[address].add(kind)
            if address not in self.found:
                self.found.reached[address] = source
                pending += self._near(address, kind)
        self._judge()
        return self.found

    def _near(self, address: Address, kind: str) -> Iterator[tuple[Address, str, Address | None]]:
        """Where to go on from an object that was reached through an edge of that kind."""
        for owner, how in self._owners_of(address):
            if how in _PARTITION:
                self.owners.setdefault(address, []).append(owner)
            elif kind:
                # An object that is part of another takes that one with it.
                yield owner, "reverse", address
            elif owner not in self.found.originals:
                self.found.held.append((address, owner))
        for edge in self.graph.users(address):
            if not address.objsubid and edge.dependent[:2] == address[:2]:
                continue  # a column needs its own table
            yield edge.dependent, edge.kind, address

    def _owners_of(self, address: Address) -> list[tuple[Address, str]]:
        return [
            (edge.referenced, edge.kind)
            for edge in self.graph.uses(address)
            if edge.kind in _OWNING and edge.referenced[:2] != address[:2]
        ]

    def _judge(self) -> None:
        for address in list(self.found.reached):
            kinds = self.kinds[address] - {"reverse"}
            if address.objsubid and address.whole in self.found.reached:
                del self.found.reached[address]  # a column of what goes as a whole
                continue
            if address in self.owners and not any(o in self.found for o in self.owners[address]):
                self.found.held.append((address, self.owners[address][0]))
            if address not in self.found.originals and kinds <= {NORMAL}:
                self.found.cascaded.add(address)


def _edges(connection: Connection, objects: Iterable[_Whole]) -> Iterator[tuple[Edge, bool]]:
    """Each edge, and whether everything around both its ends is among them."""
    from sqlalchemy import text

    columns = (
        "d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid, d.refobjsubid, "
        "CAST(d.deptype AS text)"
    )
    sql = (
        "WITH RECURSIVE region (classid, objid) AS ("
        "SELECT * FROM unnest(CAST(string_to_array(:classes, ',') AS oid[]), "
        "CAST(string_to_array(:oids, ',') AS oid[])) UNION "
        "SELECT near.classid, near.objid FROM region CROSS JOIN LATERAL ("
        "SELECT d.classid, d.objid FROM pg_depend d "
        "WHERE d.refclassid = region.classid AND d.refobjid = region.objid "
        "UNION ALL SELECT d.refclassid, d.refobjid FROM pg_depend d "
        "WHERE d.classid = region.classid AND d.objid = region.objid "
        "AND d.deptype IN ('i', 'e', 'P', 'S')) near) "
        f"SELECT {columns}, true FROM region JOIN pg_depend d "
        "ON d.refclassid = region.classid AND d.refobjid = region.objid "
        # What they use themselves, beyond the region: a statement may cut it.
        f"UNION ALL SELECT {columns}, false FROM region JOIN pg_depend d "
        "ON d.classid = region.classid AND d.objid = region.objid "
        "AND NOT EXISTS (SELECT FROM region r "
        "WHERE r.classid = d.refclassid AND r.objid = d.refobjid)"
    )
    listed = list(objects)
    values = {
        "classes": ",".join(str(classid) for classid, _ in listed),
        "oids": ",".join(str(oid) for _, oid in listed),
    }
    for row in connection.execute(text(sql), values).all():
        classid, objid, sub, refclassid, refobjid, refsub, kind, is_inside = row
        edge = Edge(Address(classid, objid, sub), Address(refclassid, refobjid, refsub), kind)
        yield edge, is_inside
