"""One request in one database, and how its answer is put together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from alembic_rollback.host.history import checksum_of
from alembic_rollback.model import Amendment, Partial, Repair, Revision
from alembic_rollback.planning import holes
from alembic_rollback.recovery.remains import leftovers
from alembic_rollback.repairs.books import ACTIONS, Books, RepairRequest, Versions

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


@dataclass(frozen=True)
class Case:
    """One request in one database."""

    books: Books
    connection: Connection
    request: RepairRequest
    version: str

    @property
    def title(self) -> str:
        """The revision's, as a person knows it."""
        return self.books.title(self.version)

    @property
    def revision(self) -> Revision | None:
        """None where it has no file."""
        return self.books.history.revisions.get(self.version)

    @property
    def partial(self) -> Partial | None:
        """None where it is whole."""
        return self.books.partials.get(self.version)

    def standing(self, version: str) -> str:
        """The word of migration-status."""
        partial = self.books.partials.get(version)
        if partial:
            return shown(partial)
        return self.standing_without_partial(version)

    def standing_without_partial(self, version: str, *, applied: bool | None = None) -> str:
        """The same once nothing is partial. applied: whether it is then; None: as it is now."""
        if applied or (applied is None and version in self.books.rows):
            return "applied"
        return "pending" if version in self.books.history.revisions else "unknown"

    def amended(
        self, version: str, *, applied: bool | None = None, checksum: str | None = None
    ) -> Amendment:
        """A change of one revision: whether it is applied, or its checksum."""
        row = self.books.rows.get(version)
        before = row[1] if row else None
        after = None if applied is False else before if checksum is None else checksum
        return Amendment(
            version,
            self.books.title(version),
            self.books.name(version),
            ACTIONS[self.request.action],
            self.standing(version),
            self.standing_without_partial(version, applied=applied),
            before,
            after,
        )

    def repair(self, *changes: Amendment, heads: Versions | None = None, **more: object) -> Repair:
        """heads: the new rows of the version table; None where they stay."""
        before = tuple(sorted(self.books.heads))
        after = before if heads is None else tuple(sorted(heads))
        found = Repair(self.books.database, self.request.action, changes, before, after)
        return replace(found, **more)  # type: ignore[arg-type]

    def nothing(self, why: str, *, idle: bool = False, notes: tuple[str, ...] = ()) -> Repair:
        """No change. idle: because all is as it was asked for."""
        return self.repair(why_not=why, idle=idle, notes=notes)

    def left(self) -> tuple[str, ...]:
        """What a broken statement has left behind, which no run will know of any more."""
        found = leftovers(self.connection, self.partial) if self.partial else ()
        return tuple(f"A statement of {self.title} broke off; run `{sql}` for it." for sql in found)


def shown(partial: Partial) -> str:
    """`partial, rollback, statement 2 of 3`."""
    words = "" if partial.direction == "up" else "rollback, "
    return f"partial, {words}{partial.shown}"


def added(case: Case, versions: list[str], notes: tuple[str, ...], source: str = "") -> Repair:
    """Revisions become applied, without being run."""
    books = case.books
    after = books.applied | set(versions)
    changes = [
        case.amended(version, applied=True, checksum=checksum_of(books.history.revisions[version]))
        for version in versions
    ]
    graph = books.history.graph
    below = holes(graph, after) - holes(graph, books.applied) - books.applied
    titles = ", ".join(map(books.title, graph.order(below)))
    told = f"Below what is applied then, and pending, out of order: {titles}."
    return case.repair(
        *changes,
        heads=books.heads_of(after),
        notes=((told,) if below else ()) + notes,
        source=source,
    )
