"""The catalog as a plan's statements leave it: what is gone, what is new, what hangs on what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alembic_rollback.catalog import objects
from alembic_rollback.catalog.dependencies import (
    PG_ATTRDEF,
    PG_CLASS,
    Address,
    Deletion,
    Dependencies,
    Edge,
)
from alembic_rollback.catalog.objects import Found
from alembic_rollback.checks.simulation.names import Names
from alembic_rollback.sql.names import quote_name
from alembic_rollback.sql.parser import Statement

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


@dataclass
class Change:
    """What one statement does."""

    statement: Statement
    deletions: list[Deletion] = field(default_factory=list)
    changed: list[Address] = field(default_factory=list)
    along: dict[Address, Address] = field(default_factory=dict)
    """What changes with something else: indexes of a column with another type, of a moved table."""
    failures: list[Failure] = field(default_factory=list)


@dataclass(frozen=True)
class Failure:
    """Why a statement will fail."""

    problem: str
    """A sentence part: `view totals depends on it`; `{}` stands for each of `about`."""
    about: tuple[Address, ...] = ()
    """What is named in it; it can only be described where the catalog has it."""


class World:
    """The state between two statements of a plan."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.names = Names(connection)
        self.graph = Dependencies()
        self.uncertain = False
        """Something has run that can have done anything: what is missing may be there by now."""
        self.moment = 0
        self.removed: dict[Address, int] = {}
        """When each object of the catalog went."""
        self.made: dict[tuple[int, str], int] = {}
        """When an object of that classid and identity was made last."""
        self._keys: dict[Address, tuple[int, str]] = {}
        self._defaults: dict[Address, Address | None] = {}
        self._children: dict[Address, list[tuple[Address, bool]]] = {}

    # What goes

    def drop(self, change: Change, originals: Iterable[Address], *, cascade: bool) -> bool:
        """Drop objects as DROP does; return whether it succeeds."""
        deletion = self.deletion(originals)
        if deletion.held:
            change.failures += [
                Failure("{} requires {}", (owner, held)) for held, owner in deletion.held
            ]
            return False
        if deletion.cascaded and not cascade:
            change.failures.append(
                Failure("{} still needed", tuple(self._outermost(deletion))),
            )
            return False
        change.deletions.append(deletion)
        self.forget(deletion.reached)
        return True

    def deletion(self, originals: Iterable[Address]) -> Deletion:
        """What dropping the objects would take away."""
        found = tuple(originals)
        self.graph.read(self.connection, found)
        return self.graph.deletion(found)

    def forget(self, addresses: Iterable[Address]) -> None:
        """Take objects out of the catalog."""
        gone = list(addresses)
        self.graph.forget(gone)
        self.names.gone.update(gone)
        for address in gone:
            self.removed.setdefault(address, self.moment)
            self.made.pop(self._keys.pop(address, (0, "")), None)
            if address.classid == PG_CLASS and address.objsubid:
                columns = self.names.columns(address.whole)
                for name in [n for n, number in columns.items() if number == address.objsubid]:
                    del columns[name]

    def _outermost(self, deletion: Deletion) -> list[Address]:
        return [a for a in deletion.cascaded if deletion.reached[a] not in deletion.cascaded]

    # What is new

    def make(
        self, space: str, name: tuple[str, ...], detail: str = "", *, arguments: str | None = None
    ) -> Found:
        """Make an object. arguments: a routine's, as pg_identify_object writes them."""
        found = self.names.make(space, name, detail)
        shown = quote_name((found.schema, found.name) if found.schema else (found.name,))
        identity = shown if arguments is None else f"{shown}({arguments})"
        self._note_made(found.address, identity)
        return found

    def make_part(self, space: str, owner: Found, name: str) -> Address:
        """Make a constraint, policy, rule or trigger of a table."""
        address = self.names.new_address(objects.PART_CLASSES[space])
        self.names.set_part(space, owner.address, name, address)
        shown = f"{quote_name((name,))} on {quote_name((owner.schema, owner.name))}"
        self._note_made(address, shown)
        self.needs(address, owner.address, "a")
        return address

    def make_column(self, relation: Found, name: str) -> Address:
        """Add a column to a relation and to those that inherit from it."""
        for child, _ in self.children(relation.address):
            if name not in self.names.columns(child):
                self.make_column(Found(child, "", ""), name)
        self.names.add_column(relation.address, name)
        shown = quote_name((relation.schema, relation.name, name))
        column = self.names.column(relation.address, name)
        assert column is not None
        self._note_made(column, shown)
        return column

    def needs(self, dependent: Address, referenced: Address | None, kind: str = "n") -> None:
        """Let one object depend on another."""
        if referenced is not None:
            # First what the catalog says about it: afterwards it would count as read.
            self.graph.read(self.connection, [referenced])
            self.graph.add(Edge(dependent, referenced, kind))

    def needs_no_more(
        self, dependent: Address, classid: int, referenced: Address | None = None
    ) -> None:
        """Cut what an object needs of one catalog, or one object of it."""
        self.graph.read(self.connection, [dependent])
        for edge in self.graph.uses(dependent):
            if edge.referenced.classid == classid and referenced in (None, edge.referenced.whole):
                self.graph.drop(edge)

    def _note_made(self, address: Address, identity: str) -> None:
        self._keys[address] = (address.classid, identity)
        self.made[address.classid, identity] = self.moment

    # What the catalog knows

    def relation(self, name: tuple[str, ...]) -> Found | None:
        """The table, view, index or sequence of that name."""
        return self.names.find("relation", name)

    def children(self, relation: Address) -> list[tuple[Address, bool]]:
        """Tables that inherit from it, and whether as partitions; may be changed."""
        if relation not in self._children:
            known = objects.children(self.connection, relation) if relation.objid > 0 else []
            self._children[relation] = known
        return self._children[relation]

    def default_of(self, column: Address) -> Address | None:
        """The default of a column, or a generated one's expression."""
        if column not in self._defaults:
            known = objects.default_of(self.connection, column) if _is_known(column) else None
            self._defaults[column] = known
        found = self._defaults[column]
        return None if found in self.names.gone else found

    def new_default(self, column: Address) -> Address:
        """Give a column another default."""
        old = self.default_of(column)
        if old is not None:
            self.forget([old])
        self._defaults[column] = self.names.new_address(PG_ATTRDEF)
        self.needs(self._defaults[column], column, "a")  # type: ignore[arg-type]
        return self._defaults[column]  # type: ignore[return-value]

    def type_address(self, text: str, name: tuple[str, ...]) -> Address | None:
        """The type that a column's definition names; None where there is none."""
        found = self.names.find("type", name) if name else None
        if found is not None:
            return found.address
        oid = objects.type_oid(self.connection, text)
        return None if oid is None else Address(objects.CLASSES["type"], oid)


def _is_known(column: Address) -> bool:
    return column.objid > 0 and column.objsubid < 10_000
