"""Identifiers and literals as PostgreSQL writes them (SQL Syntax, 4.1.1 and 4.1.2)."""

from __future__ import annotations

import re
from functools import lru_cache

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def quote_always(name: str) -> str:
    """The identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


@lru_cache(maxsize=4096)
def quote_identifier(name: str) -> str:
    """The identifier, quoted only where PostgreSQL's quote_ident() would quote it."""
    return name if _PLAIN.fullmatch(name) and not _is_keyword(name) else quote_always(name)


def quote_name(parts: tuple[str, ...]) -> str:
    """A dotted name: `app."UserData"`."""
    return ".".join(quote_identifier(part) for part in parts)


def quote_literal(value: str | None) -> str:
    """The text as a literal, also right where standard_conforming_strings is off; None is NULL."""
    if value is None:
        return "NULL"
    doubled = value.replace("'", "''")
    if "\\" in value:
        return "E'" + doubled.replace("\\", "\\\\") + "'"
    return f"'{doubled}'"


def _is_keyword(name: str) -> bool:
    from postgast import pg_query_pb2, scan

    tokens = scan(name).tokens
    free = (pg_query_pb2.NO_KEYWORD, pg_query_pb2.UNRESERVED_KEYWORD)
    return len(tokens) != 1 or tokens[0].keyword_kind not in free
