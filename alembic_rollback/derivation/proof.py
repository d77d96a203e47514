"""Up, down and up again: does the catalog come back, and go there again?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.comparison import Difference, compare
from alembic_rollback.derivation.stages import Site, look_at
from alembic_rollback.errors import StatementError

if TYPE_CHECKING:
    from alembic_rollback.sql.script import Script

_OF_ROWS = ("21", "22", "23")
"""SQLSTATE classes: cardinality violation, data exception, integrity constraint violation."""


@dataclass(frozen=True)
class Proof:
    """What became of the catalog by up, down and up again."""

    differences: tuple[Difference, ...] = ()
    """Between before the up and after the down; if none, between the two times after the up."""
    failure: str = ""
    """Why the down, or the second up, could not be run."""
    rows_in_the_way: str = ""
    """What the second up failed on: rows that the first has left, which the down doesn't take away
    and says so. Then only up and down are proven."""

    @property
    def holds(self) -> bool:
        """Whether all is as it was, but perhaps for the order of columns."""
        return not self.failure and all(one.how == "order" for one in self.differences)

    @property
    def reordered(self) -> tuple[str, ...]:
        """Tables whose columns are in another order than before."""
        return tuple(one.fact.name for one in self.differences if one.how == "order")


def prove_down(site: Site, up: Script, down: Script, *, leaves_rows: bool = False) -> Proof:
    """Run up, down and up again, and compare the catalogs. Raises StatementError for the up.

    leaves_rows: rows of the up that the down is known to leave may stand in the second one's way.
    """
    with site() as stage:
        before = look_at(stage)
        stage.run(up)
        after = look_at(stage)
        try:
            stage.run(down)
        except StatementError as error:
            return Proof(failure=f"the down fails: {_told(error)}")
        differences = compare(before, look_at(stage))
        if any(one.how != "order" for one in differences):
            return Proof(differences)
        try:
            stage.run(up)
        except StatementError as error:
            if leaves_rows and str(error.sqlstate)[:2] in _OF_ROWS:
                return Proof(differences, rows_in_the_way=_told(error))
            return Proof(failure=f"the up fails after the down: {_told(error)}")
        again = tuple(one for one in compare(after, look_at(stage)) if one.how != "order")
    return Proof(again or differences)


def _told(error: StatementError) -> str:
    place = f"line {error.where.line}: " if error.where else ""
    return f"{place}{error.what}" + (f" ({error.sqlstate})" if error.sqlstate else "")
