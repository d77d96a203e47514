"""Asking PostgreSQL by prepared queries, which stay in the session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_PREPARED = "SELECT name FROM pg_prepared_statements"


class Asking:
    """Runs queries by name, each a text of its own: `$1` and so on stand for lists."""

    def __init__(self, connection: Connection, prepared: bool) -> None:
        self._connection, self._prepared = connection, prepared
        found = self._run(_PREPARED) if prepared else []
        self._known = {row[0] for row in found}

    @property
    def version(self) -> int:
        """The server's major version."""
        return int((getattr(self._connection.dialect, "server_version_info", None) or (0,))[0])

    def rows(
        self,
        name: str,
        sql: str,
        given: Sequence[Iterable[int | str]] = (),
        types: Sequence[str] = (),
    ) -> Sequence[Any]:
        """What a query returns. given: lists of numbers, or of their digits. types: `oid[]`, …"""
        lists = [f"'{{{','.join(map(str, one))}}}'" for one in given]
        if not self._prepared:
            for place, (one, kind) in enumerate(zip(lists, types, strict=True), 1):
                sql = sql.replace(f"${place}", f"CAST({one} AS {kind})")
            return self._run(sql)
        label = f"alembic_rollback {name}"
        if label not in self._known:
            self._prepare(label, types, sql)
        return self._run(f'EXECUTE "{label}"' + (f" ({', '.join(lists)})" if lists else ""))

    def _prepare(self, label: str, types: Sequence[str], sql: str) -> None:
        listed = f" ({', '.join(types)})" if types else ""
        self._connection.exec_driver_sql(
            f'PREPARE "{label}"{listed} AS {sql}', execution_options={"no_parameters": True}
        )
        self._known.add(label)

    def _run(self, sql: str) -> Sequence[Any]:
        # The queries hold % and : as SQL does; nothing in them is a parameter.
        options = {"no_parameters": True}
        return self._connection.exec_driver_sql(sql, execution_options=options).fetchall()
