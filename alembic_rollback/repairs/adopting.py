"""What another tool has applied, by its own version table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.errors import Blocked
from alembic_rollback.ledger import Ledger, Shape, find_table, tool_rows
from alembic_rollback.model import Repair
from alembic_rollback.pairs import version_key
from alembic_rollback.repairs.case import Case, added
from alembic_rollback.sql.names import quote_name

if TYPE_CHECKING:
    from alembic_rollback.repairs.books import Books, Versions

_UNDO_DIRTY = (
    "Look what its failed migration has done, finish or undo it, then `migrate force VERSION` "
    "with the version that the schema stands at; then run this again."
)


def adopt(case: Case) -> Repair:
    """Take what the tool has applied for applied. Raises Blocked where its table is dirty."""
    tool = case.request.tool or ""
    table = _find(case, tool)
    if isinstance(table, Repair):
        return table
    shown = quote_name(table)
    rows = tool_rows(case.connection, table, tool)
    if rows is None or Ledger(*table).shape(case.connection) is Shape.OURS:
        return case.nothing(f"{shown} hasn't the columns of {tool}'s table.")
    theirs = [version for version, _ in rows]
    if any(dirty for _, dirty in rows):
        raise Blocked(
            f"{tool}'s {shown} is dirty at version {theirs[0]}: that migration failed half-way.",
            state="Nothing was changed.",
            next_step=_UNDO_DIRTY,
        )
    if len(rows) > 1 and tool == "golang-migrate":
        return case.nothing(f"{shown} has {len(rows)} rows; {tool} keeps one.")
    matched, notes = (_up_to if tool == "golang-migrate" else _each)(case.books, theirs)
    new = case.books.history.graph.order(matched - case.books.applied)
    if not new:
        why = f"Nothing of {tool}'s {shown} has a pair here."
        if matched or not theirs:
            why = f"Everything of {tool}'s {shown} is applied here already."
        return case.nothing(why, idle=bool(matched) or not theirs, notes=notes)
    return added(case, new, notes, shown)


def _find(case: Case, tool: str) -> tuple[str, str] | Repair:
    """The tool's table, or why there is none."""
    ledger, name = case.books.ledger, case.request.table or "schema_migrations"
    table = find_table(case.connection, ledger.schema, name)
    if table is None:
        advice = "" if case.request.table else " --from-table says where it is."
        return case.nothing(f"There is no table {name}.{advice}")
    if table == (ledger.schema, ledger.table):
        return case.nothing(f"{quote_name(table)} is this project's own ledger, not {tool}'s.")
    return table


def _up_to(books: Books, theirs: list[str]) -> tuple[Versions, tuple[str, ...]]:
    """golang-migrate's one row: what is not above it is applied."""
    if not theirs:
        return frozenset(), ()
    (last,) = map(int, theirs)
    numbers = {version: _number(version) for version in _pairs(books)}
    found = frozenset(version for version, number in numbers.items() if number <= last)
    there = [version for version, number in numbers.items() if number == last]
    if len(there) == 1:
        return found, ()
    if there:
        doubt = f"all of these begin with it: {', '.join(map(books.title, there))}."
        return found, (f"golang-migrate stands at version {last}, and {doubt}",)
    return found, (f"golang-migrate stands at version {last}, of which there is no pair here.",)


def _number(version: str) -> int:
    """As golang-migrate reads a file name: the digits that it begins with."""
    return version_key(version)[0]


def _each(books: Books, theirs: list[str]) -> tuple[Versions, tuple[str, ...]]:
    """The rows of dbmate, one an applied version."""
    pairs = _pairs(books)
    notes = []
    unknown = [version for version in theirs if version not in pairs]
    if unknown:
        notes.append(f"dbmate has applied, and no pair here has: {', '.join(unknown)}.")
    known = [version for version in theirs if version in pairs]
    newest = max(map(version_key, known), default=())
    late = [v for v in pairs if v not in known and version_key(v) < newest]
    late = [books.title(v) for v in late if v not in books.rows]
    if late:
        notes.append(f"Older than dbmate's newest and not applied there: {', '.join(late)}.")
    return frozenset(known), tuple(notes)


def _pairs(books: Books) -> list[str]:
    revisions = books.history.revisions
    return sorted((v for v, one in revisions.items() if one.is_pair), key=version_key)
