"""A psycopg2 cursor that remembers what it was given, for tests that count round trips."""

from __future__ import annotations

from typing import Any

from psycopg2.extensions import cursor

SENT: list[str] = []
"""Statements of this process, in order; BEGIN, COMMIT and ROLLBACK are the connection's own."""


class CountingCursor(cursor):
    """Set by env.py: `connect_args={"cursor_factory": CountingCursor}`."""

    def execute(self, query: Any, vars: Any = None) -> Any:
        SENT.append(str(query))
        return super().execute(query, vars)
