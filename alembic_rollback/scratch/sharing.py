"""Schemas that a script shares with other revisions: they are there before it, as anywhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.sql.kept import shared_schemas
from alembic_rollback.sql.names import quote_identifier

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.sql.script import Script


def make_shared_schemas(connection: Connection, script: Script) -> bool:
    """Make the schemas in which the script keeps rows for its down; whether there are any.

    The down leaves them, since others keep rows there, too: only where they were before the up
    can the catalog be after the down what it was.
    """
    found = shared_schemas(script)
    for schema in found:
        connection.exec_driver_sql(
            f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(schema)}",
            execution_options={"no_parameters": True},
        )
    return bool(found)
