"""Taking a snapshot: every query once, under settings that make its answers comparable."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from alembic_rollback.catalog.facts import families  # noqa: F401  registers every kind
from alembic_rollback.catalog.facts.model import Fact, Id, Snapshot
from alembic_rollback.catalog.facts.registry import QUERIES

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

# Constants print the same in every session. JIT would compile queries that run for a millisecond.
_SETTINGS = (
    "SELECT set_config('search_path', {}, true), set_config('datestyle', 'ISO, MDY', true), "
    "set_config('intervalstyle', 'postgres', true), set_config('timezone', 'UTC', true), "
    "set_config('extra_float_digits', '1', true), set_config('bytea_output', 'hex', true), "
    "set_config('quote_all_identifiers', 'off', true), set_config('jit', 'off', true)"
)
_INITIAL = "(SELECT reset_val FROM pg_settings WHERE name = 'search_path')"
# Temporary tables, unless named here, would come first.
_NOTHING = "'pg_catalog, pg_temp'"
_MEMBERS = "SELECT classid, objid FROM pg_depend WHERE deptype = 'e'"
_EDGES = (
    "SELECT classid, objid, objsubid, refclassid, refobjid, refobjsubid, "
    "CAST(deptype AS text) FROM pg_depend WHERE objid >= 16384 AND refobjid >= 16384 "
    # A partition's clone is part of what it is cloned from rather than of the partition.
    "ORDER BY deptype <> 'P'"
)
_PREPARED = "SELECT name FROM pg_prepared_statements"
_PARTS = "iPSe"
"""What is part of another, and has no fact of its own, counts as the other: pg_depend.deptype."""
_SILENT = "aiPS"
"""What goes with what it depends on, without CASCADE."""


def read(
    connection: Connection, *, edges: bool = True, prepared: bool = False, elsewhere: bool = False
) -> Snapshot:
    """Every fact of the connected database. Nothing is changed.

    edges: also what needs what, which restoring wants and comparing doesn't. prepared: leave the
    queries prepared in the session, which halves the time of the next reading: for sessions that
    are ours alone, not for those of a pooler. elsewhere: for statements that make facts again in
    any other session: every name has its schema, and privileges are also those that a new object
    of the same role would have, where ALTER DEFAULT PRIVILEGES gives it others.
    """
    with comparable(connection, elsewhere=elsewhere):
        reader = _Reader(connection, prepared)
        members = {(row[0], row[1]) for row in reader.rows("members", _MEMBERS)}
        facts = _facts(reader, members, elsewhere)
        links = reader.rows("edges", _EDGES) if edges else []
    return _linked(facts, links)


class _Reader:
    """Runs the queries, by name."""

    def __init__(self, connection: Connection, prepared: bool) -> None:
        self._connection, self._prepared = connection, prepared
        found = self._run(_PREPARED) if prepared else []
        self._known = {row[0] for row in found}

    @property
    def version(self) -> int:
        """The server's major version."""
        return int((getattr(self._connection.dialect, "server_version_info", None) or (0,))[0])

    def rows(self, name: str, sql: str) -> Sequence[Any]:
        """What a query returns."""
        if not self._prepared:
            return self._run(sql)
        label = f"alembic_rollback {name}"
        if label not in self._known:
            self._connection.exec_driver_sql(
                f'PREPARE "{label}" AS {sql}', execution_options={"no_parameters": True}
            )
        return self._run(f'EXECUTE "{label}"')

    def _run(self, sql: str) -> Sequence[Any]:
        # The queries hold % and : as SQL does; nothing in them is a parameter.
        options = {"no_parameters": True}
        return self._connection.exec_driver_sql(sql, execution_options=options).fetchall()


@contextmanager
def comparable(connection: Connection, *, elsewhere: bool = False) -> Iterator[None]:
    """The settings under which facts are read, until the end of the block."""
    path = _NOTHING if elsewhere else _INITIAL
    savepoint = connection.begin_nested()
    try:
        connection.exec_driver_sql(_SETTINGS.format(path))
        yield
    finally:
        savepoint.rollback()


def _facts(reader: _Reader, members: set[tuple[int, int]], elsewhere: bool) -> dict[Id, Fact]:
    found: dict[Id, Fact] = {}
    for name, query in QUERIES.items():
        if query.since <= reader.version < query.before and query.elsewhere <= elsewhere:
            for row in reader.rows(name, query.sql):
                fact = _fact(row)
                if (row[0], row[1]) not in members or fact.kind == "extension":
                    found[fact.id] = fact
    return _rooted(found)


def _fact(row: Any) -> Fact:
    classid, objid, number, aspect, kind, key, name, *parent, part, details = row
    whole = Id(parent[0], parent[1], part or 0) if parent[0] is not None else None
    found = {key: value for key, value in details.items() if value is not None}
    return Fact(Id(classid, objid, number, aspect), kind, key, name, whole, found)


def _rooted(facts: dict[Id, Fact]) -> dict[Id, Fact]:
    """Without what hangs on something that is left out."""
    orphans = [one.id for one in facts.values() if one.parent and one.parent not in facts]
    while orphans:
        for orphan in orphans:
            del facts[orphan]
        orphans = [one.id for one in facts.values() if one.parent and one.parent not in facts]
    return facts


def _linked(facts: Mapping[Id, Fact], links: Iterable[Any]) -> Snapshot:
    wholes: dict[Id, Id] = {}
    edges: list[tuple[Id, Id, str]] = []
    for row in links:
        one, other = Id(row[0], row[1], row[2]), Id(row[3], row[4], row[5])
        edges.append((one, other, row[6]))
        if (row[6] in _PARTS and one not in facts) or (row[6] == "a" and one not in facts):
            wholes.setdefault(one, other)
    needs: dict[Id, set[Id]] = defaultdict(set)
    automatic = set()
    for one, other, how in edges:
        dependent, referenced = _whole(one, facts, wholes), _whole(other, facts, wholes)
        if dependent is None or referenced is None or dependent == referenced:
            continue
        if how in _SILENT and dependent == one:
            automatic.add((dependent, referenced))
        # A sequence does without the column that owns it, its ownership doesn't.
        owned = dependent._replace(aspect="sequence ownership")
        needs[owned if how == "a" and owned in facts else dependent].add(referenced)
    for one, others in needs.items():
        # The functions of a base type and the type need each other, and go together.
        if one in facts and facts[one].kind == "base type":
            automatic |= {(other, one) for other in others if one in needs.get(other, ())}
    frozen = {one: frozenset(others) for one, others in needs.items()}
    return Snapshot(facts, frozen, frozenset(automatic))


def _whole(one: Id, facts: Mapping[Id, Fact], wholes: Mapping[Id, Id]) -> Id | None:
    """The fact that stands for the object, following what it is part of."""
    for _ in range(8):
        if one in facts:
            return one
        following = wholes.get(one)
        if following is None:
            # A column without a fact of its own (of an index, a view) is its relation.
            if one.objsubid and one.object._replace(objsubid=0) in facts:
                return one.object._replace(objsubid=0)
            following = wholes.get(one._replace(objsubid=0))
            if following is None:
                return None
        one = following
    return None
