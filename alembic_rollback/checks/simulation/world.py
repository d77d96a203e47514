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
from alembic_rollback.sql.effects import named_relations
from alembic_rollback.sql.names import quote_name

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.sql.parser import Statement
    from alembic_rollback.sql.script import Script


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

    @property
    def of_presence(self) -> bool:
        """Whether all that is wrong is that something is there already, or isn't there."""
        return self.problem.startswith("there is ")


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
        self._owners: dict[Address, Address] = {}
        """The columns of defaults."""
        self._children: dict[Address, list[tuple[Address, bool]]] = {}
        self._inherited: dict[tuple[Address, str], dict[str, tuple[int, bool]]] = {}
        self.natures: dict[Address, str] = {}
        """Of columns: whether they are `identity` or `generated` by now."""
        self.types: dict[Address, int] = {}
        """Of columns: the oid of the type that a statement has given them."""
        self.vague: set[Address] = set()
        """Relations that have columns or parts which are not known by name."""

    def preload(self, scripts: Iterable[Script | None]) -> list[Address]:
        """Read in one query each what these scripts would ask for statement by statement.

        Returns the relations that they name. What is still missing afterwards is read when it is
        asked for.
        """
        named = self.names.relations(
            name[-1]
            for script in scripts
            for statement in (script.statements if script else ())
            for name in named_relations(statement)
        )
        self.graph.read(self.connection, named)
        self.names.preload_parts(named)
        self._read_owners(self.graph.known(PG_ATTRDEF))
        return named

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
                Failure("it is still needed by {}", tuple(self.outermost(deletion))),
            )
            return False
        change.deletions.append(deletion)
        self.forget(deletion.reached)
        self._leave_out_defaults(deletion)
        return True

    def drop_along(self, change: Change, address: Address, source: Address) -> None:
        """Drop what goes because of a statement that doesn't name it."""
        change.deletions.append(Deletion((), {address: source}))
        self.forget([address])

    def deletion(self, originals: Iterable[Address]) -> Deletion:
        """What dropping the objects would take away."""
        found = tuple(originals)
        self.graph.read(self.connection, found)
        return self.graph.deletion(found)

    def forget(self, addresses: Iterable[Address]) -> None:
        """Take objects out of the catalog."""
        gone = list(addresses)
        self.graph.forget(gone)
        self.names.forget(gone)
        for address in gone:
            self.removed.setdefault(address, self.moment)
            self.made.pop(self._keys.pop(address, (0, "")), None)
            if address.classid == PG_CLASS and address.objsubid:
                columns = self.names.columns(address.whole)
                for name in [n for n, number in columns.items() if number == address.objsubid]:
                    del columns[name]

    def _leave_out_defaults(self, deletion: Deletion) -> None:
        """A default is not told where its column goes as well."""
        self._read_owners(a for a in deletion.reached if a.classid == PG_ATTRDEF)
        for address, source in list(deletion.reached.items()):
            if address.classid == PG_ATTRDEF and address not in deletion.originals:
                column = self._owners.get(address)
                if column and (source == column or column in deletion):
                    del deletion.reached[address]
                    deletion.cascaded.discard(address)

    def _read_owners(self, defaults: Iterable[Address]) -> None:
        new = [one for one in defaults if one.objid > 0 and one not in self._owners]
        if new:
            self._owners |= objects.columns_of_defaults(self.connection, new)

    def outermost(self, deletion: Deletion) -> list[Address]:
        """What goes by CASCADE because of what was named, and not because of other such things."""
        return [a for a in deletion.cascaded if deletion.reached[a] not in deletion.cascaded]

    # What is new

    def make(
        self, space: str, name: tuple[str, ...], detail: str = "", *, arguments: str | None = None
    ) -> Found:
        """Make an object. arguments: a routine's, as pg_identify_object writes them."""
        found = self.names.make(space, name, detail)
        schema = self.names.find("schema", (found.schema,)) if found.schema else None
        if schema:
            self.graph.add(Edge(found.address, schema.address, "n"))
        shown = _shown(found)
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
            if child in self.names.gone:
                continue
            known = name in self.names.columns(child)
            self.inherit(child, "columns", name, local=known)
            if not known:
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
            # First what the catalog says about them: afterwards they would count as read.
            self.graph.read(self.connection, [dependent, referenced])
            self.graph.add(Edge(dependent, referenced, kind))

    def needs_no_more(
        self, dependent: Address, classid: int, referenced: Address | None = None
    ) -> None:
        """Cut what an object needs of one catalog, or one object of it."""
        self.graph.read(self.connection, [dependent])
        for edge in self.graph.uses(dependent):
            if edge.referenced.classid == classid and referenced in (None, edge.referenced.whole):
                self.graph.drop(edge)

    def place(self, address: Address, schema: Address) -> None:
        """Let an object be in that schema, of which nothing else is read."""
        self.graph.read(self.connection, [address])
        self.graph.add(Edge(address, schema, "n"))

    def move(self, space: str, found: Found, *, name: str = "", schema: str = "") -> Found:
        """Give an object another name or schema; what the plan has made is known by it then."""
        after = self.names.move(space, found, name=name, schema=schema)
        old, new = _shown(found), _shown(after)
        for address, (classid, identity) in list(self._keys.items()):
            again = _with_owner(identity, old, new)
            if again != identity:
                moment = self.made.pop((classid, identity), self.moment)
                self._keys[address] = classid, again
                self.made[classid, again] = moment
        return after

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

    def inherited(self, relation: Address, what: str) -> dict[str, tuple[int, bool]]:
        """Inherited `columns` or `constraints`: from how many parents, and whether also its own.

        May be changed.
        """
        key = relation, what
        if key not in self._inherited:
            columns = what == "columns"
            read = objects.inherited_columns if columns else objects.inherited_constraints
            self._inherited[key] = read(self.connection, relation) if relation.objid > 0 else {}
        return self._inherited[key]

    def inherit(self, relation: Address, what: str, name: str, *, local: bool) -> None:
        """Let a table have a column or constraint from one parent more."""
        inherited = self.inherited(relation, what)
        number, before = inherited.get(name, (0, local))
        inherited[name] = number + 1, before

    def disinherit(self, relation: Address, what: str, name: str) -> None:
        """Let it have that from one parent less; what comes from none is its own."""
        inherited = self.inherited(relation, what)
        number, local = inherited.pop(name, (0, True))
        if number > 1:
            inherited[name] = number - 1, local

    def nature(self, column: Address) -> str:
        """`identity`, `generated` or, for any other column, nothing."""
        if column not in self.natures:
            known = objects.nature_of(self.connection, column) if _is_known(column) else ""
            self.natures[column] = known
        return self.natures[column]

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
        made = self._defaults[column] = self.names.new_address(PG_ATTRDEF)
        self._owners[made] = column
        self.needs(made, column, "a")
        return made

    def type_address(self, text: str, name: tuple[str, ...]) -> Address | None:
        """The type that a column's definition names; None where there is none."""
        found = self.names.find("type", name) if name else None
        if found is not None:
            return found.address
        oid = objects.type_oid(self.connection, text)
        address = Address(objects.CLASSES["type"], oid or 0)
        return None if oid is None or self.names.is_elsewhere(address) else address


def _is_known(column: Address) -> bool:
    return column.objid > 0 and column.objsubid < 10_000


def _shown(found: Found) -> str:
    return quote_name((found.schema, found.name) if found.schema else (found.name,))


def _with_owner(identity: str, old: str, new: str) -> str:
    """An object's identity after it, its table or its schema has got another name."""
    if identity == old or identity.startswith((f"{old}.", f"{old}(")):
        return new + identity.removeprefix(old)
    part, on, owner = identity.rpartition(" on ")
    if on and (owner == old or owner.startswith(f"{old}.")):
        return part + on + new + owner.removeprefix(old)
    return identity
