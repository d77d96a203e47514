"""What inverting a script gives: what undoes it, and the facts that its text does not tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic_rollback.sql.parser import Statement


@dataclass(frozen=True)
class Inverse:
    """How one up statement is undone."""

    statement: Statement
    sql: tuple[str, ...]
    """In the order in which they run, without `;`. Empty: deliberately nothing to undo."""


@dataclass(frozen=True)
class Irreversible:
    """An up statement that its text alone does not tell how to undo: a value, not an error."""

    statement: Statement
    missing: str
    """The missing fact, with the user's own names: `the rows of orders: DELETE keeps none`."""
    rows: bool = False
    """It is about rows only; the schema is undone."""


@dataclass(frozen=True)
class Known:
    """What the state of a database tells about one statement of the up, beyond its text."""

    sql: tuple[str, ...]
    """What undoes it, in the order in which it runs, without `;`."""
    lost: tuple[str, ...] = ()
    """Facts about rows that are missing all the same."""


@dataclass(frozen=True)
class Down:
    """A whole up script, inverted."""

    inverses: tuple[Inverse, ...]
    """In the order in which they run: the last up statement first."""
    irreversible: tuple[Irreversible, ...]
    """In the order of the up. Such a statement may have an Inverse too, for its other parts."""
    outside: bool
    """It holds a statement that PostgreSQL refuses inside a transaction."""

    @property
    def sql(self) -> tuple[str, ...]:
        """Every statement of the down, in the order in which they run."""
        return tuple(sql for inverse in self.inverses for sql in inverse.sql)
