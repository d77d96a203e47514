"""What a script has made, renamed and dropped so far, as far as its text tells.

Names are compared as written: `orders` and `public.orders` may be two tables, so what the file made
under one name is not taken for the other. After a change of search_path, a name without a schema is
another name.
"""

from __future__ import annotations

from collections.abc import Iterator

# These live in no schema, so search_path says nothing about them.
_GLOBAL = {
    "access method",
    "cast",
    "database",
    "event trigger",
    "extension",
    "foreign-data wrapper",
    "language",
    "publication",
    "role",
    "schema",
    "server",
    "subscription",
    "tablespace",
    "transform",
    "user mapping",
}
Name = tuple[str, ...]


class Thing:
    """One object, or a part of one (a column, a constraint, a policy).

    born: the number of the statement that made it; None where the file did not make it.
    owners: what takes it along when it goes: its table, the columns of a constraint.
    """

    def __init__(
        self,
        kind: str,
        name: Name,
        *,
        born: int | None = None,
        owners: tuple[Thing, ...] = (),
        temporary: bool = False,
    ) -> None:
        self.kind, self.name, self.born, self.owners = kind, name, born, owners
        self.temporary = temporary
        self.dropped = False
        self.parts: dict[tuple[str, str], Thing] = {}

    @property
    def new(self) -> bool:
        """Whether the file made it, by itself or with its owner, so that its end undoes all."""
        return self.born is not None or any(owner.new for owner in self.owners)

    @property
    def gone(self) -> bool:
        """Whether nothing of it outlives the file that made it, so that nothing is left to undo."""
        ended = self.dropped and self.new
        return ended or self.temporary or any(owner.gone for owner in self.owners)

    @property
    def qualified(self) -> bool:
        """Whether its name means the same under every search_path."""
        if self.kind in _GLOBAL:
            return True
        return self.owners[0].qualified if self.owners else len(self.name) > 1

    def within(self, other: Thing) -> bool:
        """Whether it is the other, or goes when the other goes."""
        return self is other or any(owner.within(other) for owner in self.owners)

    @property
    def age(self) -> int:
        """The statement after which it was there; 0 for what the file found."""
        births = [owner.age for owner in self.owners if owner.new]
        return max([self.born or 0, *births])


class World:
    """The objects that a script names, resolved statement by statement."""

    def __init__(self) -> None:
        self.now = 0
        self.acting = False
        """SET ROLE is in force: another role than the runner's grants."""
        self._path = 0
        self._things: dict[tuple[str, Name], Thing] = {}

    def find(self, kind: str, name: Name) -> Thing:
        """The object of that name, taken for one that was there before where the file has none."""
        key = self._key(kind, name)
        if key not in self._things:
            self._things[key] = Thing(kind, name)
        return self._things[key]

    def make(self, kind: str, name: Name, *owners: Thing, temporary: bool = False) -> Thing:
        """Record that the current statement makes the object."""
        thing = Thing(kind, name, born=self.now, owners=owners, temporary=temporary)
        self._things[self._key(kind, name)] = thing
        return thing

    def part(self, owner: Thing, kind: str, name: str) -> Thing:
        """A part of an object; new if the owner is."""
        return owner.parts.setdefault((kind, name), Thing(kind, (name,), owners=(owner,)))

    def make_part(self, owner: Thing, kind: str, name: str, *others: Thing) -> Thing:
        """Record that the current statement adds the part."""
        thing = Thing(kind, (name,), born=self.now, owners=(owner, *others))
        owner.parts[kind, name] = thing
        return thing

    def rename(self, thing: Thing, name: Name) -> None:
        """The object goes by another name from here on."""
        self._things.pop(self._key(thing.kind, thing.name), None)
        thing.name = name
        self._things[self._key(thing.kind, name)] = thing

    def rename_part(self, owner: Thing, thing: Thing, name: str) -> None:
        """The part goes by another name from here on."""
        owner.parts.pop((thing.kind, thing.name[-1]), None)
        thing.name = (name,)
        owner.parts[thing.kind, name] = thing

    def change_path(self) -> None:
        """search_path changes: names without a schema mean other objects from here on."""
        self._path += 1

    def routines(self, name: Name) -> list[Thing]:
        """The functions, procedures and aggregates of that name, whatever their arguments."""
        wanted = self._key("routine", name)[1]
        return [
            thing
            for (kind, key), thing in self._things.items()
            if key == wanted and kind.startswith("routine") and not thing.dropped
        ]

    def made_after(self, first: int) -> Iterator[Thing]:
        """Living objects and parts that statements after `first` made."""
        for thing in list(self._things.values()):
            for each in (thing, *thing.parts.values()):
                if each.born is not None and each.born > first and not each.gone:
                    yield each

    def names(self, kind: str, schema: Name) -> set[str]:
        """Names that the file has given to objects of that kind in that schema."""
        return {thing.name[-1] for thing in self._in(kind, schema) if thing.new}

    def constraint_names(self, schema: Name) -> set[str]:
        """Names that the file has given to constraints of that schema's tables."""
        return {
            name
            for table in self._in("relation", schema)
            for (kind, name), part in table.parts.items()
            if kind == "constraint" and part.new and not part.gone
        }

    def _in(self, kind: str, schema: Name) -> Iterator[Thing]:
        wanted = self._key(kind, (*schema, ""))[1][:-1]
        for (found, name), thing in self._things.items():
            if found == kind and name[:-1] == wanted and not thing.gone and not thing.dropped:
                yield thing

    def _key(self, kind: str, name: Name) -> tuple[str, Name]:
        if len(name) > 1 or kind in _GLOBAL:
            return kind, name
        # No identifier is empty, so this cannot be a schema's name.
        return kind, ("", str(self._path), *name)
