"""Which transactions a run has: env.py's, the caller's, one for all, or one for each step."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from alembic_rollback.errors import UsageError

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.engine import Connection

    from alembic_rollback.host.state import Order


def prepare_transaction(context: MigrationContext, order: Order | None, stack: ExitStack) -> bool:
    """Begin what the run needs; return whether it commits in between (a session lock is needed).

    `alembic upgrade` keeps to what env.py says. rollback-db is one transaction also where env.py
    says transaction_per_migration, unless each step is to be its own.
    """
    assert context.connection is not None
    if order:
        leave_autocommit(context)
    if context._in_external_transaction:
        _refuse_each(order)
        return False
    if order and order.each and not context._transaction_per_migration:
        if context._transaction is not None:
            context._transaction.commit()
            context._transaction = None
        context._transaction_per_migration = True
    elif order and not order.each and context._transaction_per_migration:
        context._transaction_per_migration = False
        stack.enter_context(context.begin_transaction())
    return context._transaction_per_migration or autocommits(context.connection)


def leave_autocommit(context: MigrationContext) -> None:
    """Give an engine without transactions one for this connection, for what must be whole."""
    connection = context.connection
    assert connection is not None
    if not autocommits(connection):
        return
    if connection.in_transaction():
        connection.rollback()
    connection.execution_options(isolation_level="READ COMMITTED")
    if context._transaction is not None:
        context._transaction = connection.begin()


def autocommits(connection: Connection) -> bool:
    """Whether the connection has no transactions (isolation_level AUTOCOMMIT)."""
    return bool(getattr(connection.connection.dbapi_connection, "autocommit", False))


def _refuse_each(order: Order | None) -> None:
    if order and order.each:
        raise UsageError(
            "--transaction each: the caller of Alembic has begun a transaction already.",
            next_step="Leave it out, or use a connection that is not in a transaction.",
        )
