"""Which rule undoes which parse node. A second rule for one node is a mistake and raises.

A rule takes a Step and yields parts: an Undo for each statement of the down, a Missing for each
fact that the text does not tell, nothing where there is deliberately nothing to undo. It also
records in `step.world` what the statement makes, renames and drops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alembic_rollback.inverse.world import Thing, World
    from alembic_rollback.sql.parser import Statement


@dataclass(frozen=True)
class Undo:
    """One statement of the down, or one clause of it.

    clause: what follows `sql`; neighbours with the same `sql` become one statement, with commas.
    about: left out of the down when that has come and gone within the file.
    last: comes after the statement's other clauses.
    """

    sql: str
    about: Thing | None = None
    clause: str = ""
    last: bool = False


@dataclass(frozen=True)
class Missing:
    """A fact that undoing needs and that the text does not hold.

    rows: it is about rows or positions of sequences; the schema can be undone without it.
    """

    fact: str
    rows: bool = False


Part = Undo | Missing


@dataclass(frozen=True)
class Step:
    """One statement of the up, in its place in the script."""

    statement: Statement
    node: Any
    world: World

    def lost(self, thing: Thing, fact: str, *, rows: bool = False) -> Iterator[Part]:
        """The fact is missing, unless the file made the thing: then its end undoes the change."""
        if not thing.new:
            yield Missing(fact, rows)


Rule = Callable[[Step], Iterable[Part]]


class Registry:
    """Rules by name, where a name has one rule only."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._rules: dict[str, Any] = {}

    def __call__(self, *names: str) -> Callable[[Any], Any]:
        """Register the decorated rule under each of the names."""

        def register(rule: Any) -> Any:
            for name in names:
                if name in self._rules:
                    raise ValueError(f"There are two inverse rules for {self._what} {name}.")
                self._rules[name] = rule
            return rule

        return register

    def get(self, name: str) -> Any:
        """The rule of that name, or None."""
        return self._rules.get(name)

    def names(self) -> frozenset[str]:
        """Every name that has a rule."""
        return frozenset(self._rules)


inverts = Registry("parse node")
"""`@inverts("CreateStmt")`: the rule for statements of that kind; it takes a Step."""

alters = Registry("ALTER TABLE command")
"""`@alters("AT_AddColumn")`: the rule for that command of ALTER TABLE; it takes an Alteration."""


def apply(step: Step) -> list[Part]:
    """What undoes the step's node; refused by name where there is no rule."""
    name = type(step.node).__name__
    rule: Rule | None = inverts.get(name)
    if rule is None:
        return [Missing(f"no rule for {name}, what it changed is not known from the text")]
    return list(rule(step))
