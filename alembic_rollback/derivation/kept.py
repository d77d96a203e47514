"""Kept rows put back where the catalog is known: their types, and what must not fire meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.archive.moving import columns_of
from alembic_rollback.archive.restoring import pauses
from alembic_rollback.catalog.tables import table_named
from alembic_rollback.inverse.kept import put_back
from alembic_rollback.inverse.model import Known
from alembic_rollback.sql.names import quote_identifier, quote_name

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.sql.kept import Kept


def put_all_back(connection: Connection, rows: tuple[Kept, ...]) -> Known:
    """How to undo a statement that keeps what it changes, in the catalog that it finds.

    Triggers and rules don't fire for rows that only come back, and forced row-level security
    doesn't hold them up, as in restore-db.
    """
    sql: list[str] = []
    lost: list[str] = []
    for kept in rows:
        table = table_named(connection, kept.table)
        if table is None:
            lost.append(f"the rows of {quote_name(kept.table)}: there is no such table")
            continue
        found = columns_of(connection, table.oid)
        around = pauses(connection, [table.oid])
        undo = put_back(kept, {one.name: one.type for one in found})
        sql += [*(pause for pause, _ in around), undo, *(resume for _, resume in around)]
        forgotten = [
            one.name for one in found if not one.generated and one.name not in kept.columns
        ]
        if not kept.changed and forgotten:
            columns = ", ".join(map(quote_identifier, forgotten))
            lost.append(f"{columns} of {quote_name(kept.table)}: not kept with the rows")
    return Known(tuple(sql), tuple(lost))
