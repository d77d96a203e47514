"""Which ledger and which archive belong to a context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback import ledger as ledgers
from alembic_rollback.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.engine import Connection

    from alembic_rollback.archive.store import Archive
    from alembic_rollback.host.history import History
    from alembic_rollback.model import LedgerRow
    from alembic_rollback.settings import Settings


def find_ledger(context: MigrationContext, settings: Settings) -> Ledger:
    """Name the ledger that belongs to a context's version table."""
    table = ledgers.ledger_name(settings.ledger_table, context.version_table)
    schema = context.version_table_schema
    if context.as_sql:
        return Ledger(schema or "", table)
    assert context.connection is not None
    found = ledgers.find_schema(context.connection, schema, context.version_table, table)
    return Ledger(found, table)


def with_ghosts(
    history: History, ledger: Ledger, rows: Mapping[str, LedgerRow], connection: Connection
) -> History:
    """The history with what is in the ledger and has no file; as mostly, the log isn't asked."""
    if rows.keys() <= history.revisions.keys():
        return history
    return history.remembering(ledger.ghosts(connection))


def archive_of(settings: Settings, ledger: Ledger) -> Archive:
    """The archive of a ledger."""
    from alembic_rollback.archive.store import Archive

    return Archive(settings.archive_schema, (ledger.schema, ledger.table))


def archived_versions(
    connection: Connection, settings: Settings, ledger: Ledger
) -> tuple[str, ...]:
    """Of which revisions the archive has something that was not put back yet."""
    if not ledgers.has_schema(connection, settings.archive_schema):
        return ()  # as nearly always, and then nothing of it is imported
    return archive_of(settings, ledger).waiting(connection)
