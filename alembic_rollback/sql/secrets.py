"""Passwords out of SQL and out of messages, before either is kept or shown.

What is hidden becomes `'***'`: a literal, so that a redacted statement parses as before, and one
that stays the same when it is redacted again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

HIDDEN = "'***'"

# Of what a string holds, never of SQL: connection strings, URLs, and SQL that is put together in
# the body of a function or a DO block.
_TELLING = re.compile(r"passw(or)?d\s*=|password\s+'|://[^/\s:@]*:[^/\s]*@", re.IGNORECASE)
_IN_URL = re.compile(r"(?<=://)([^/\s:@]*):[^\s/]*@")
_IN_CONNINFO = re.compile(
    r"""(passw(?:or)?d\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s'"&;,)]+)""", re.IGNORECASE
)

_OPTIONS = {
    "AlterFdwStmt",
    "AlterForeignServerStmt",
    "AlterUserMappingStmt",
    "CreateFdwStmt",
    "CreateForeignServerStmt",
    "CreateUserMappingStmt",
}
"""Statements whose OPTIONS (…) are free: any of them may be a password."""
_ROLES = ("CreateRoleStmt", "AlterRoleStmt")
_SUBSCRIPTIONS = ("CreateSubscriptionStmt", "AlterSubscriptionStmt")
_WORDS = ("conninfo", "passphrase", "password", "passwd", "secret")
"""A setting whose name has one of these holds what nobody should read."""


def redacted(text: str) -> str:
    """The SQL with `'***'` for every literal of the statements that carry passwords.

    Roles with a password, subscriptions, user mappings, foreign servers, settings such as
    primary_conninfo; and, in any statement, a literal that holds a connection string with a
    password. Of what doesn't parse, every literal is hidden.
    """
    if "'" not in text and "$" not in text:
        return text
    literals = _literals(text)
    if literals is None:
        # Not even the scanner can read it: nobody knows where a string ends.
        return re.split("['$]", text, maxsplit=1)[0] + HIDDEN
    secret = _secret_ranges(text)
    source, found, passed = text.encode(), [], 0
    for start, end in literals:
        inside = secret is None or any(low <= start < high for low, high in secret)
        if inside or _TELLING.search(source[start:end].decode()):
            found += [source[passed:start].decode(), HIDDEN]
            passed = end
    return "".join([*found, source[passed:].decode()])


def without_passwords(message: str) -> str:
    """A message without the passwords of URLs and connection strings in it."""
    return _IN_CONNINFO.sub(r"\1***", _IN_URL.sub(r"\1:***@", message))


def _literals(text: str) -> list[tuple[int, int]] | None:
    """Where the string, bit and Unicode literals are, in bytes; None where it cannot be told."""
    from postgast import PgQueryError, pg_query_pb2, scan

    kinds = (pg_query_pb2.SCONST, pg_query_pb2.USCONST, pg_query_pb2.BCONST, pg_query_pb2.XCONST)
    try:
        return [(one.start, one.end) for one in scan(text).tokens if one.token in kinds]
    except PgQueryError:
        return None


def _secret_ranges(text: str) -> list[tuple[int, int]] | None:
    """Which statements carry a password, as ranges of bytes; None where the text doesn't parse."""
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from postgast import PgQueryError, parse, walk

    try:
        tree = parse(text)
    except (PgQueryError, DecodeError):
        return None
    found = []
    for raw in tree.stmts:
        if any(_carries(node) for _, node in walk(raw.stmt)):
            end = raw.stmt_location + raw.stmt_len if raw.stmt_len else len(text.encode())
            found.append((raw.stmt_location, end))
    return found


def _carries(node: Any) -> bool:
    kind = type(node).__name__
    if kind in _ROLES:
        return "password" in _option_names(node)
    if kind in _SUBSCRIPTIONS:
        return bool(node.conninfo)
    if kind == "VariableSetStmt":
        return any(word in node.name.lower() for word in _WORDS)
    return kind in _OPTIONS


def _option_names(node: Any) -> Iterator[str]:
    return (option.def_elem.defname for option in node.options)
