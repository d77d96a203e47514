"""Queries to the catalog under the settings that make its answers complete: as pg_dump's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from alembic_rollback.catalog.definitions.model import Address, Recipe

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

OIDS = "ANY (CAST(string_to_array(:oids, ',') AS oid[]))"
GIVEN = (
    "unnest(CAST(string_to_array(:classes, ',') AS oid[]), "
    "CAST(string_to_array(:oids, ',') AS oid[]), "
    "CAST(string_to_array(:subs, ',') AS integer[])) AS given (classid, objid, objsubid)"
)
"""The addresses as rows; `Reader.addressed` gives it its values."""

_SETTINGS = {
    # Only what is in pg_catalog goes without its schema. Temporary tables, unless named here,
    # would come first, also for our own queries.
    "search_path": "pg_catalog, pg_temp",
    # Constants print so that every session reads the same value.
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "extra_float_digits": "3",
    "quote_all_identifiers": "off",
}


class Reader:
    """Reads about the given addresses."""

    def __init__(self, connection: Connection, given: Iterable[Address]) -> None:
        self.connection = connection
        self.given = tuple(dict.fromkeys((one[0], one[1], one[2]) for one in given))

    @property
    def version(self) -> int:
        """The server's major version."""
        found: tuple[int, ...] = getattr(self.connection.dialect, "server_version_info", (0,))
        return found[0]

    def rows(self, sql: str, oids: Iterable[int], **values: Any) -> list[Any]:
        """A query about some oids."""
        return self._query(sql, oids=",".join(map(str, oids)), **values)

    def addressed(self, sql: str, addresses: Iterable[Address] | None = None) -> list[Any]:
        """A query about addresses: by default all that are given."""
        listed = list(self.given if addresses is None else addresses)
        columns = [",".join(str(one[part]) for one in listed) for part in range(3)]
        return self._query(sql, **dict(zip(("classes", "oids", "subs"), columns, strict=True)))

    def literally(self, sql: str) -> list[Any]:
        """A query with names in its text: none of their characters are parameters."""
        options = {"no_parameters": True}
        return list(self.connection.exec_driver_sql(sql, execution_options=options))

    def _query(self, sql: str, **values: Any) -> list[Any]:
        from sqlalchemy import text

        return list(self.connection.execute(text(sql), values))


Recipes: TypeAlias = Mapping[int, Recipe]
"""By oid."""


@contextmanager
def dumping(connection: Connection) -> Iterator[None]:
    """Have names printed with their schemas until the end of the block."""
    from sqlalchemy import text

    savepoint = connection.begin_nested()
    try:
        for name, value in _SETTINGS.items():
            sql = text("SELECT set_config(:name, :value, true)")
            connection.execute(sql, {"name": name, "value": value})
        yield
    finally:
        # Rolling back takes the settings and the locks back.
        savepoint.rollback()


def options(reloptions: str, prefix: str = "") -> str:
    """SQL for storage parameters as they stand in WITH (…), NULL without any."""
    return (
        f"(SELECT string_agg('{prefix}' || quote_ident(option_name) || '=' || "
        f"quote_literal(option_value), ', ') FROM pg_options_to_table({reloptions}))"
    )


def relation(oid: str) -> str:
    """SQL for a relation's qualified name."""
    return f"CAST(CAST({oid} AS regclass) AS text)"


def joined(*parts: str) -> str:
    """The parts of a statement that aren't empty."""
    return " ".join(part for part in parts if part)
