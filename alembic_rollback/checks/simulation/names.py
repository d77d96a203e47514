"""What a name in a script means when its turn comes: after all that the plan has done before it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from alembic_rollback.catalog import objects
from alembic_rollback.catalog.dependencies import PG_NAMESPACE, Address
from alembic_rollback.catalog.objects import Found
from alembic_rollback.sql.effects import sets_search_path

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.sql.parser import Statement
    from alembic_rollback.sql.script import Script

_Key = tuple[str, str, str]
"""Kind of object, schema, name."""


class Names:
    """Names as the catalog has them, and what the statements so far made of them."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.gone: set[Address] = set()
        self._path: tuple[str, ...] | None = None
        self._path_now: tuple[str, ...] | None = None
        """Of the path, the schemas that are there; asked for with every name."""
        self._catalog: dict[tuple[str, str], list[Found]] = {}
        self._now: dict[_Key, list[Found]] = {}
        self._moved: set[Address] = set()
        """What no longer has the name that the catalog knows."""
        self._schemas: dict[str, str] = {}
        """Renamed schemas: the new name → the catalog's."""
        self._columns: dict[Address, dict[str, int]] = {}
        self._parts: dict[tuple[str, Address, str], Address | None] = {}
        self._numbers = count(1)

    @contextmanager
    def script(self, script: Script) -> Iterator[None]:
        """Resolve one script's names; the search_path that it sets ends with it."""
        if not any(sets_search_path(statement) for statement in script.statements):
            yield
            return
        savepoint = self.connection.begin_nested()
        try:
            yield
        finally:
            savepoint.rollback()
            self._path = self._path_now = None

    def set_path(self, statement: Statement) -> None:
        """Follow a SET search_path; harmless here, for script() takes it back."""
        from sqlalchemy.exc import DBAPIError

        with suppress(DBAPIError), self.connection.begin_nested():
            self.connection.exec_driver_sql(
                statement.text, execution_options={"no_parameters": True}
            )
        self._path = self._path_now = None

    def preload_parts(self, owners: Iterable[Address]) -> None:
        """Look up the parts of many relations in one query."""
        real = [owner for owner in owners if owner.objid > 0]
        if real:
            self._parts = {**objects.parts_of(self.connection, real), **self._parts}

    def relations(self, names: Iterable[str]) -> list[Address]:
        """The catalog's relations of these names, in whatever schema."""
        wanted = set(names)
        self.preload("relation", wanted)
        return [one.address for name in wanted for one in self._catalog["relation", name]]

    def preload(self, space: str, names: Iterable[str]) -> None:
        """Look many names up in one query."""
        wanted = {name for name in names if (space, name) not in self._catalog}
        for name in wanted:
            self._catalog[space, name] = []
        if wanted:
            for found in objects.named(self.connection, space, wanted):
                self._catalog[space, found.name].append(found)

    def all(self, space: str, name: tuple[str, ...]) -> list[Found]:
        """Every object that the name can mean, in the first schema that has one: overloads."""
        if not name:
            return []
        if objects.CLASSES[space] in _WITHOUT_SCHEMA:
            return self._here(space, "", name[-1])
        for schema in name[-2:-1] or self.path:
            found = self._here(space, schema, name[-1])
            if found:
                return found
        return []

    def find(self, space: str, name: tuple[str, ...]) -> Found | None:
        """The object of that kind and name; None where there is none by then."""
        return next(iter(self.all(space, name)), None)

    def is_gone(self, space: str, name: tuple[str, ...]) -> bool:
        """Whether the name means something that the plan has dropped by then."""
        if not name:
            return False
        schemas = [self._schemas.get(schema, schema) for schema in name[-2:-1] or self.path]
        found = [one for one in self._catalog.get((space, name[-1]), ()) if one.schema in schemas]
        return any(one.address in self.gone for one in found)

    @property
    def path(self) -> tuple[str, ...]:
        """The schemas that an unqualified name is looked for in."""
        if self._path_now is None:
            if self._path is None:
                self._path = objects.search_path(self.connection)
            self._path_now = tuple(
                s for s in self._path if s.startswith("pg_") or self.find("schema", (s,))
            )
        return self._path_now

    def forget(self, addresses: Collection[Address]) -> None:
        """Let objects be gone."""
        self.gone.update(addresses)
        if any(address.classid == PG_NAMESPACE for address in addresses):
            self._path_now = None

    def make(self, space: str, name: tuple[str, ...], detail: str = "") -> Found:
        """Let there be a new object; its address is one that no catalog has."""
        schema = "" if objects.CLASSES[space] in _WITHOUT_SCHEMA else self.schema_for(name)
        address = self.new_address(objects.CLASSES[space])
        found = Found(address, schema, name[-1], detail)
        self._now.setdefault((space, schema, name[-1]), []).append(found)
        if space == "schema":
            self._path_now = None
        return found

    def new_address(self, classid: int) -> Address:
        """An address for something that the plan makes."""
        return Address(classid, -next(self._numbers))

    def schema_for(self, name: tuple[str, ...]) -> str:
        """Where a new object of that name is made."""
        if len(name) > 1:
            return name[-2]
        return next((schema for schema in self.path if not schema.startswith("pg_")), "public")

    def move(self, space: str, found: Found, *, name: str = "", schema: str = "") -> Found:
        """Give an object another name or schema; return it as it is then."""
        after = replace(found, schema=schema or found.schema, name=name or found.name)
        self._moved.add(found.address)
        here = self._now.get((space, found.schema, found.name), [])
        if found in here:
            here.remove(found)
        self._now.setdefault((space, after.schema, after.name), []).append(after)
        if space == "schema":
            self._rename_schema(found.name, after.name)
            self._path_now = None
        return after

    def _rename_schema(self, old: str, new: str) -> None:
        self._schemas[new] = self._schemas.pop(old, old)
        for space, schema, name in [key for key in self._now if key[1] == old]:
            inside = self._now.pop((space, schema, name))
            self._now[space, new, name] = [replace(found, schema=new) for found in inside]

    def named(self, address: Address, schema: str) -> Found | None:
        """A relation of a schema that the plan has made, renamed or moved."""
        for (space, where, _), every in self._now.items():
            if space == "relation" and where == schema:
                for found in every:
                    if found.address == address:
                        return found
        return None

    def columns(self, relation: Address) -> dict[str, int]:
        """A relation's columns by name as they are by then, with their numbers; may be changed."""
        if relation not in self._columns:
            known = objects.columns(self.connection, relation) if relation.objid > 0 else {}
            self._columns[relation] = known
        return self._columns[relation]

    def column(self, relation: Address, name: str) -> Address | None:
        """A column's address."""
        number = self.columns(relation).get(name)
        return None if number is None else Address(relation.classid, relation.objid, number)

    def add_column(self, relation: Address, name: str) -> None:
        """Let a relation have one more column, with a number that no catalog gives."""
        self.columns(relation)[name] = 10_000 + next(self._numbers)

    def part(self, space: str, owner: Address, name: str) -> Address | None:
        """A constraint, policy, rule or trigger of a table, or a constraint of a domain."""
        key = (space, owner, name)
        if key not in self._parts:
            known = objects.part(self.connection, space, owner, name) if owner.objid > 0 else None
            self._parts[key] = known
        found = self._parts[key]
        return None if found is None or found in self.gone else found

    def is_elsewhere(self, address: Address) -> bool:
        """Whether an object is gone, or has another name or schema than the catalog knows."""
        return address in self.gone or address in self._moved

    def set_part(self, space: str, owner: Address, name: str, part: Address | None) -> None:
        """Let a table's part be there, or not."""
        self._parts[space, owner, name] = part

    def _here(self, space: str, schema: str, name: str) -> list[Found]:
        if (space, name) not in self._catalog:
            self.preload(space, [name])
        known = self._known_as(schema) if self._schemas else schema
        every = [
            replace(found, schema=schema) if schema != known else found
            for found in self._catalog[space, name]
            if found.schema == known and found.address not in self._moved
        ]
        every += self._now.get((space, schema, name), ())
        return [found for found in every if found.address not in self.gone]

    def _known_as(self, schema: str) -> str:
        """The name that the catalog has for a schema; none where it is another schema's there."""
        if schema in self._schemas.values() and schema not in self._schemas:
            return ""
        return self._schemas.get(schema, schema)


_WITHOUT_SCHEMA = {2615, 3079, 2328, 1417, 2612, 2601, 6104, 3466}
