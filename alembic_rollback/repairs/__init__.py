"""What repair-db would change: ledger rows, log rows and the rows of the version table.

Nothing is written here. The same proposal is made twice, before asking and again under the lock;
where both are equal, what was shown is what is done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from alembic_rollback.repairs.adopting import adopt
from alembic_rollback.repairs.amending import accept, clear, forget, mark_applied
from alembic_rollback.repairs.books import Books, RepairRequest, books_of, books_under_lock
from alembic_rollback.repairs.case import Case
from alembic_rollback.repairs.resuming import resume

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.model import Repair

__all__ = ["Books", "RepairRequest", "books_of", "books_under_lock", "propose"]

_PROPOSALS: dict[str, Callable[[Case], Repair]] = {
    "accept-checksum": accept,
    "forget": forget,
    "mark-applied": mark_applied,
    "clear-partial": clear,
    "resume-at": resume,
    "adopt": adopt,
}


def propose(books: Books, connection: Connection, request: RepairRequest) -> Repair:
    """What a request changes here; where it cannot be met here, a Repair that says why not.

    Raises UsageError where it cannot be meant, Blocked where the other tool's table is dirty.
    """
    version = books.resolve(request.version) if request.version is not None else ""
    return _PROPOSALS[request.action](Case(books, connection, request, version))
