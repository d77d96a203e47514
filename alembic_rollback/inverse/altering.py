"""ALTER TABLE and its kin: each command by its own rule, the clauses put together again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alembic_rollback.inverse.registry import Missing, Part, Step, Undo, alters, inverts
from alembic_rollback.inverse.targets import OBJECTS
from alembic_rollback.sql.build import enum_name, relation_text
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.names import quote_identifier, quote_name

if TYPE_CHECKING:
    from alembic_rollback.inverse.world import Name, Thing, World


@dataclass(frozen=True)
class Alteration:
    """One command of an ALTER TABLE."""

    step: Step
    command: Any
    head: str
    """`ALTER TABLE app.orders`, for the inverse."""
    whole: str
    """The same without ONLY."""
    words: str
    relation: Name
    table: Thing

    @property
    def world(self) -> World:
        """What the script has made so far."""
        return self.step.world

    @property
    def definition(self) -> Any:
        """The command's `def`, a Node."""
        return getattr(self.command, "def")  # a Python keyword

    @property
    def name(self) -> str:
        """The column or constraint that the command names, quoted."""
        return quote_identifier(self.command.name)

    @property
    def shown(self) -> str:
        """For people: `table app.orders`."""
        return f"{self.words.lower()} {quote_name(self.relation)}"

    @property
    def column(self) -> Thing:
        """The column that the command names."""
        return self.world.part(self.table, "column", self.command.name)

    def undo(self, clause: str, about: Thing | None = None, *, last: bool = False) -> Undo:
        """A clause that takes back what the command added, wherever it was added."""
        return Undo(self.whole, about or self.table, clause, last)

    def opposite(self, clause: str, about: Thing | None = None) -> Undo:
        """A clause that switches back, with the same reach (ONLY) as the command."""
        return Undo(self.head, about or self.table, clause)

    def lost(self, thing: Thing, fact: str) -> Iterator[Part]:
        """The fact is missing, unless the file made the thing."""
        return self.step.lost(thing, fact)

    def dropped(self, thing: Thing, fact: str) -> Iterator[Part]:
        """What dropping a part leaves to undo; nothing where the file had made it."""
        return end(self.step, thing, fact, self.cascades)

    @property
    def cascades(self) -> bool:
        """Whether the command ends with CASCADE."""
        return enum_name(self.command, "behavior") == "DROP_CASCADE"

    @property
    def subtype(self) -> str:
        """The command's kind: `AT_AddColumn`."""
        return enum_name(self.command, "subtype")


def end(step: Step, thing: Thing, fact: str, cascade: bool) -> Iterator[Part]:
    """Record that a thing is dropped. One that the file made leaves nothing: both cancel out."""
    younger = step.world.made_after(thing.age) if cascade else ()
    others = any(not other.within(thing) for other in younger)
    thing.dropped = True
    if cascade and (others or not thing.new):
        yield Missing(f"{fact}, nor what CASCADE took with it")
    elif not thing.new:
        yield Missing(fact)


@inverts("AlterTableStmt")
def alter_table(step: Step) -> Iterator[Part]:
    """ALTER TABLE, INDEX, SEQUENCE, VIEW, TYPE …: command by command."""
    node = step.node
    words, kind = OBJECTS[enum_name(node, "objtype")]
    relation = relation_name(node.relation)
    exists = "IF EXISTS " if node.missing_ok else ""
    only = "ONLY " if not node.relation.inh and words in ("TABLE", "FOREIGN TABLE") else ""
    name = relation_text(node.relation)
    for item in node.cmds:
        alteration = Alteration(
            step,
            item.alter_table_cmd,
            head=f"ALTER {words} {exists}{only}{name}",
            whole=f"ALTER {words} {exists}{name}",
            words=words,
            relation=relation,
            table=step.world.find(kind, relation),
        )
        yield from _command(alteration)


def _command(alteration: Alteration) -> Iterable[Part]:
    rule = alters.get(alteration.subtype)
    if rule is None:
        fact = f"no rule for {alteration.subtype}, what it changed is not known from the text"
        return alteration.lost(alteration.table, fact)
    parts: Iterable[Part] = rule(alteration)
    return parts
