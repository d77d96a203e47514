"""What a name in a script means when its turn comes: after the renames and SETs before it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from alembic_rollback.catalog import tables as catalog
from alembic_rollback.sql.effects import Renaming, renaming, sets_search_path
from alembic_rollback.sql.parser import Statement
from alembic_rollback.sql.script import Script

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


class Names:
    """Resolves names against the catalog as it is, and the statements of the plan so far."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._tables: dict[tuple[str, ...], catalog.Table] = {}
        self._columns: dict[tuple[int, str], str] = {}

    @contextmanager
    def script(self, script: Script) -> Iterator[None]:
        """Resolve one script's names; the search_path that it sets ends with it."""
        if not any(sets_search_path(statement) for statement in script.statements):
            yield
            return
        savepoint = self.connection.begin_nested()
        try:
            yield
        finally:
            savepoint.rollback()

    def follow(self, statement: Statement) -> None:
        """Take note of what a statement does to names: RENAME, SET SCHEMA, SET search_path."""
        if sets_search_path(statement):
            self._set_path(statement)
        for change in renaming(statement):
            self._rename(change)

    def find(self, name: tuple[str, ...]) -> catalog.Table | None:
        """The table that the name will mean; None where there is none now."""
        return self._tables.get(name) or catalog.find_table(self.connection, name)

    def column(self, table: catalog.Table, name: str) -> str:
        """What the column is called now."""
        return self._columns.get((table.oid, name), name)

    def _set_path(self, statement: Statement) -> None:
        # Harmless in the read-only transaction: script() takes it back.
        from sqlalchemy.exc import DBAPIError

        with suppress(DBAPIError), self.connection.begin_nested():
            self.connection.exec_driver_sql(
                statement.text, execution_options={"no_parameters": True}
            )

    def _rename(self, change: Renaming) -> None:
        table = self.find(change.relation)
        if table is None:
            return
        if change.column:
            self._columns[table.oid, change.new_name] = self.column(table, change.column)
        elif change.new_schema:
            self._tables[change.new_schema, change.relation[-1]] = table
        else:
            for prefix in ((), change.relation[:-1], (table.schema,)):
                self._tables[(*prefix, change.new_name)] = table
