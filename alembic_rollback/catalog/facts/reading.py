"""Taking a snapshot, under settings that make the answers comparable: every query once, or only
for what has changed since an earlier one.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from alembic_rollback.catalog.facts import families  # noqa: F401  registers every kind
from alembic_rollback.catalog.facts.asking import Asking
from alembic_rollback.catalog.facts.changes import changed, unsettles
from alembic_rollback.catalog.facts.linking import Link, linked, links, links_again
from alembic_rollback.catalog.facts.memory import Memory, Moment, Part
from alembic_rollback.catalog.facts.model import Fact, Id, Snapshot
from alembic_rollback.catalog.facts.registry import QUERIES, Query
from alembic_rollback.catalog.facts.stamps import (
    KEYED,
    Stamps,
    different,
    stamps,
    with_rows,
    with_rows_since,
)

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

# Constants print the same in every session. JIT would compile queries that run for a millisecond.
_SETTINGS = (
    "SELECT set_config('search_path', {}, true), set_config('datestyle', 'ISO, MDY', true), "
    "set_config('intervalstyle', 'postgres', true), set_config('timezone', 'UTC', true), "
    "set_config('extra_float_digits', '1', true), set_config('bytea_output', 'hex', true), "
    "set_config('quote_all_identifiers', 'off', true), set_config('jit', 'off', true), "
    # The catalogs have no statistics in a new database, which makes any plan as good as another.
    "set_config('plan_cache_mode', 'force_generic_plan', true)"
)
_INITIAL = "NULL"  # what the session started with
# Temporary tables, unless named here, would come first.
_NOTHING = "'pg_catalog, pg_temp'"
_MEMBERS = "SELECT classid, objid FROM pg_depend WHERE deptype = 'e'"
Members: TypeAlias = frozenset[tuple[int, int]]
Objects: TypeAlias = Mapping[int, Sequence[Fact]]
"""By the oids of the objects that the facts were read with."""


def read(
    connection: Connection,
    *,
    edges: bool = True,
    prepared: bool = False,
    elsewhere: bool = False,
    memory: Memory | None = None,
) -> Snapshot:
    """Every fact of the connected database. Nothing is changed.

    edges: also what needs what, which restoring wants and comparing doesn't. prepared: leave the
    queries prepared in the session, which halves the time of the next reading: for sessions that
    are ours alone, not for those of a pooler. elsewhere: for statements that make facts again in
    any other session: every name has its schema, and privileges are also those that a new object
    of the same role would have, where ALTER DEFAULT PRIVILEGES gives it others. memory: earlier
    readings of this database, of which this becomes one; only what has changed since one of them
    is read. It says the same with and without. Nothing is remembered of `elsewhere`.
    """
    with comparable(connection, elsewhere=elsewhere):
        asking = Asking(connection, prepared)
        if memory is None or elsewhere:
            parts, _ = _parts(asking, elsewhere)
            facts = _facts(parts.values())
            return linked(facts, links(asking)) if edges else Snapshot(facts)
        moment = _moment(asking, memory)
        return _linked(asking, memory, moment) if edges else moment.snapshot


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


# With a memory -------------------------------------------------------------------------------


def _moment(asking: Asking, memory: Memory) -> Moment:
    now = stamps(asking)
    found = memory.same(now)
    if found is None:
        found = _again(asking, memory.nearest(now), now) or _anew(asking, now)
        memory.keep(found)
    return found


def _anew(asking: Asking, now: Stamps) -> Moment:
    now = with_rows(asking, now)
    parts, members = _parts(asking)
    return Moment(now, parts, members, Snapshot(_facts(parts.values())))


def _again(asking: Asking, before: Moment | None, now: Stamps) -> Moment | None:
    """What has changed since an earlier reading, and the rest of that; None if all may have."""
    if before is None:
        return None
    now = with_rows_since(asking, now, before.stamps)
    oids = changed(asking, before.stamps, now)
    if oids is None or any(objid in oids for _, objid in before.members):
        return None
    parts = {**before.parts}
    for name, found in _read_again(asking, before, oids).items():
        part = before.parts[name]
        whole = QUERIES[name].partial is None
        merged = _merged(part, found, found.keys() | part.objects.keys() if whole else oids)
        if merged is None:
            return None
        parts[name] = merged
    return Moment(now, parts, before.members, Snapshot(_facts(parts.values())))


def _read_again(asking: Asking, before: Moment, oids: Iterable[int]) -> Mapping[str, Objects]:
    """By query, the facts of some objects: one way to the server and back.

    All facts of a query that cannot tell them from others. None of a query of other catalogs than
    those that may have changed.
    """
    queries = {
        name: query
        for name, query in _queries(asking)
        if any(catalog in query.sql for catalog in KEYED)
    }
    arms = (
        f"SELECT '{name}', one.* FROM ({query.partial or query.sql}) AS one"
        for name, query in queries.items()
    )
    rows: dict[str, list[Any]] = {name: [] for name in queries}
    for name, *row in asking.rows("again", " UNION ALL ".join(arms), [oids], ["oid[]"]):
        rows[name].append(row)
    return {name: _read(queries[name], found, before.members) for name, found in rows.items()}


def _merged(part: Part, again: Objects, oids: Collection[int]) -> Part | None:
    """One query's facts with those of the objects that were read again.

    None where one of them bears on what is said of other objects.
    """
    objects, facts = {**part.objects}, {**part.facts}
    moved: list[Fact] = []
    same = True
    for oid in oids:
        if oid not in part.objects and oid not in again:
            continue
        old = {fact.id: fact for fact in part.objects.get(oid, ())}
        now = {fact.id: _same(old.get(fact.id), fact) for fact in again.get(oid, ())}
        if [*old.items()] == [*now.items()]:
            continue
        if any(one in old and unsettles(old[one], fact) for one, fact in now.items()):
            return None
        same = False
        objects[oid] = [*now.values()]
        if not now:
            del objects[oid]
        if [*old] == [*now]:
            facts.update(now)
        else:
            moved += now.values()
            for one in old:
                del facts[one]
    return part if same else Part(objects, _inserted(facts, moved))


def _same(old: Fact | None, new: Fact) -> Fact:
    """The fact itself where it is as it was: `compare` sees at once that it is the same."""
    return old if old is not None and old == new else new


def _inserted(facts: dict[Id, Fact], others: Iterable[Fact]) -> dict[Id, Fact]:
    """Facts by age, with others, which mostly are younger than all of them."""
    last = next(reversed(facts.values()), None)
    younger = sorted(others, key=_age)
    if not last or not younger or _age(last) <= _age(younger[0]):
        facts.update((fact.id, fact) for fact in younger)
        return facts
    found = [*facts.values()]
    for fact in younger:
        insort(found, fact, key=_age)
    return {fact.id: fact for fact in found}


def _linked(asking: Asking, memory: Memory, moment: Moment) -> Snapshot:
    if moment.linked is None:
        moment.links = _links(asking, memory, moment)
        moment.linked = linked(moment.snapshot.facts, moment.links)
    return moment.linked


def _links(asking: Asking, memory: Memory, moment: Moment) -> Sequence[Link]:
    known = memory.linked()
    if known is None or known.links is None:
        return links(asking)
    old, new = different(*(one.stamps.rows["pg_depend"] for one in (known, moment)))
    return links_again(asking, known.links, old.keys() | new.keys())


# Facts ---------------------------------------------------------------------------------------


def _queries(asking: Asking, elsewhere: bool = False) -> Iterator[tuple[str, Query]]:
    for name, query in QUERIES.items():
        if query.since <= asking.version < query.before and query.elsewhere <= elsewhere:
            yield name, query


def _parts(asking: Asking, elsewhere: bool = False) -> tuple[dict[str, Part], Members]:
    """Everything, and what belongs to extensions."""
    members = frozenset((row[0], row[1]) for row in asking.rows("members", _MEMBERS))
    queries = _queries(asking, elsewhere)
    found = {name: _part(_read(one, asking.rows(name, one.sql), members)) for name, one in queries}
    return found, members


def _read(query: Query, rows: Iterable[Any], members: Members) -> Objects:
    found: dict[int, list[Fact]] = {}
    for row in rows:
        if (row[0], row[1]) not in members or row[4] == "extension":
            fact = _fact(row)
            found.setdefault(query.root(fact), []).append(fact)
    return found


def _fact(row: Any) -> Fact:
    classid, objid, number, aspect, kind, key, name, *parent, part, details = row
    whole = Id(parent[0], parent[1], part or 0) if parent[0] is not None else None
    found = {key: value for key, value in details.items() if value is not None}
    return Fact(Id(classid, objid, number, aspect), kind, key, name, whole, found)


def _part(objects: Objects) -> Part:
    facts = (fact for one in objects.values() for fact in one)
    return Part(objects, {fact.id: fact for fact in sorted(facts, key=_age)})


def _facts(parts: Collection[Part]) -> dict[Id, Fact]:
    """All of them, without what hangs on something that is left out; each query's by age."""
    found: dict[Id, Fact] = {}
    for part in parts:
        found.update(part.facts)
    # Hardly ever is anything left out: sets find that without a look at each fact.
    if any(part.parents.difference(found) for part in parts):
        _leave_out_orphans(found)
    return found


def _leave_out_orphans(facts: dict[Id, Fact]) -> None:
    while orphans := [one.id for one in facts.values() if one.parent and one.parent not in facts]:
        for orphan in orphans:
            del facts[orphan]


def _age(fact: Fact) -> tuple[int, int]:
    return fact.id.objid, fact.id.objsubid
