"""Split and parse a script: each statement with its text as written, its place and its tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alembic_rollback.errors import Location, ScriptSyntaxError
from alembic_rollback.sql.comments import SPACE, skip_space_and_comments

Node = Any
"""A protobuf message of libpg_query; its fields are named after PostgreSQL's parse nodes."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, its text untouched and without the white space and comments around it."""

    text: str
    where: Location
    tree: Node | None = field(repr=False, compare=False)
    """None where it was let go of: it takes fifty times the memory of its text."""

    def __hash__(self) -> int:
        """Of what tells most statements apart: what is said of one is remembered, and looked up."""
        return hash((self.text, self.where.line))

    @property
    def node(self) -> Node:
        """The parse node; parsed again where the tree was let go of."""
        if self.tree is not None:
            return self.tree
        (again,) = parse(self.text, self.where.path)
        return again.tree

    @property
    def kind(self) -> str:
        """The parse node's name: `CreateStmt`, `DropStmt`, `IndexStmt`, …"""
        return str(type(self.node).__name__)

    def locate(self, position: int) -> Location:
        """Where the character at `position` (from 1, as PostgreSQL reports it) is in the file."""
        return _advance(self.where, self.text[: max(position - 1, 0)])

    def walk(self) -> Iterator[Node]:
        """Every node of the tree, the statement's own first."""
        from postgast import walk

        return (node for _, node in walk(self.node))


def parse(text: str, path: Path) -> tuple[Statement, ...]:
    """Parse a whole script.

    Raises ScriptSyntaxError with line and column for what is not SQL, naming psql's commands and
    inline COPY data for what they are.
    """
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from postgast import PgQueryError
    from postgast import parse as parse_tree

    try:
        tree = parse_tree(text)
    except DecodeError:
        raise ScriptSyntaxError(
            "An expression of the script is nested too deeply to be checked.",
            where=Location(path),
            next_step="Split it, or build it up in parts.",
        ) from None
    except PgQueryError as error:
        raise _explained(text, path, error.message, error.cursorpos) from None
    return tuple(_statements(text, path, tree))


def _statements(text: str, path: Path, tree: Any) -> Iterator[Statement]:
    from postgast import unwrap_node

    source = text.encode()
    place, passed = Location(path, 1, 1), 0
    for raw in tree.stmts:
        end = raw.stmt_location + raw.stmt_len if raw.stmt_len else len(source)
        start = skip_space_and_comments(source, raw.stmt_location, end)
        place = _advance(place, source[passed:start].decode())
        passed = start
        body = source[start:end].decode().rstrip(SPACE)
        if "--" in body.rsplit("\n", 1)[-1] or body.endswith("*/"):
            body = _without_trailing_comments(body)
        yield Statement(body, place, unwrap_node(raw.stmt))


def _without_trailing_comments(body: str) -> str:
    """What stands before the semicolon counts as the statement's, comments included."""
    from postgast import pg_query_pb2, scan

    comments = (pg_query_pb2.SQL_COMMENT, pg_query_pb2.C_COMMENT)
    ends = [token.end for token in scan(body).tokens if token.token not in comments]
    return body.encode()[: max(ends, default=0)].decode()


def _advance(place: Location, passed: str) -> Location:
    lines = passed.count("\n")
    if not lines:
        return Location(place.path, place.line, place.column + len(passed))
    return Location(place.path, place.line + lines, len(passed) - passed.rfind("\n"))


def _explained(text: str, path: Path, message: str, cursor: int) -> ScriptSyntaxError:
    before = text[: max(cursor - 1, 0)]  # counted in characters, whatever the parser's docs say
    where = _advance(Location(path, 1, 1), before) if cursor else Location(path)
    if _ends_in_copy_from_stdin(before):
        return ScriptSyntaxError(
            "COPY … FROM stdin with its data in the file is psql's; no driver can run it.",
            where=where,
            next_step="Write INSERT statements (pg_dump --inserts), or COPY FROM a server file.",
        )
    if text[len(before) : len(before) + 1] == "\\":
        command = text[len(before) :].splitlines()[0].strip()
        return ScriptSyntaxError(
            f"{command} is a command of psql, not SQL.",
            where=where,
            next_step="Remove it; a script is sent to the server as it stands.",
        )
    return ScriptSyntaxError(f"{message}.", where=where)


def _ends_in_copy_from_stdin(before: str) -> bool:
    from postgast import PgQueryError, unwrap_node
    from postgast import parse as parse_tree

    if "stdin" not in before.lower():
        return False
    try:
        statements = parse_tree(before).stmts
    except PgQueryError:
        return False
    return bool(statements) and is_copy_with_data(unwrap_node(statements[-1].stmt))


def is_copy_with_data(node: Node) -> bool:
    """Whether the node is COPY from or to the client, which needs the copy protocol."""
    return type(node).__name__ == "CopyStmt" and not node.filename
