"""Accept a change, forget a revision, mark one as applied, clear a partial one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from alembic_rollback.errors import LedgerError
from alembic_rollback.host.history import checksum_of
from alembic_rollback.repairs.case import Case, added
from alembic_rollback.sql.names import quote_name

if TYPE_CHECKING:
    from alembic_rollback.model import Repair
    from alembic_rollback.repairs.books import Books


def accept(case: Case) -> Repair:
    """Take a changed file for what was applied. Raises LedgerError without the right to."""
    books = case.books
    if books.rows and not books.ledger.may_change(case.connection):
        name = quote_name((books.ledger.schema, books.ledger.table))
        raise LedgerError(
            f"This role may not change rows of the ledger {name}.",
            state="Nothing was changed.",
            next_step="GRANT UPDATE on it.",
        )
    if case.request.everything:
        modified = _modified(books)
        if not modified:
            return case.nothing("No applied revision was changed since.", idle=True)
    elif case.revision is None:
        return case.nothing(f"No file of this release has {case.title}.")
    elif case.version not in books.rows:
        return case.nothing(f"{case.title} is not applied.")
    elif books.rows[case.version][1] == checksum_of(case.revision):
        return case.nothing(f"{case.title} was not changed since it was applied.")
    else:
        modified = [case.version]
    revisions = books.history.revisions
    changes = [replace(case.amended(v, checksum=checksum_of(revisions[v]))) for v in modified]
    return case.repair(*(replace(one, after=one.before) for one in changes))


def _modified(books: Books) -> list[str]:
    """What migration-status calls modified, oldest first."""
    found = [
        version
        for version, (_, checksum) in books.rows.items()
        if (revision := books.history.revisions.get(version))
        and revision.is_pair
        and checksum not in ("", revision.checksum)
    ]
    return books.history.graph.order(found)


def forget(case: Case) -> Repair:
    """Take a revision for not applied."""
    books, version = case.books, case.version
    if version not in books.rows:
        begun = f" It was begun: --clear-partial forgets that of {version}."
        return case.nothing(f"{case.title} is not applied.{begun if case.partial else ''}")
    after = books.applied - {version}
    above = (books.history.graph.descendants([version]) - {version}) & after
    titles = ", ".join(map(books.title, books.history.graph.order(above)))
    return case.repair(
        case.amended(version, applied=False),
        heads=books.heads_of(after, gone=[version]),
        notes=((f"Applied later, and staying applied: {titles}.",) if above else ()) + case.left(),
    )


def mark_applied(case: Case) -> Repair:
    """Take a revision for applied."""
    if case.version in case.books.rows:
        half = " but half rolled back: --clear-partial takes it for applied" if case.partial else ""
        return case.nothing(f"{case.title} is applied already{half}.")
    if case.revision is None:
        return case.nothing(f"No file of this release has {case.title}.")
    return added(case, [case.version], notes=case.left())


def clear(case: Case) -> Repair:
    """Forget that a revision was begun."""
    if case.partial is None:
        return case.nothing(f"{case.title} is not partial: it is {case.standing(case.version)}.")
    executed = len(case.partial.progress.done)
    told = f"What its {executed} executed statements have done stays in the database."
    if executed == 1:
        told = "What its one executed statement has done stays in the database."
    notes = (told,) if executed else ()
    return case.repair(case.amended(case.version), notes=notes + case.left())
