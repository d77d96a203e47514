"""What makes an object again that a DROP … CASCADE takes away: its SQL, read before it goes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from alembic_rollback.catalog.facts.model import Fact, Id, Snapshot
from alembic_rollback.catalog.facts.planning import making
from alembic_rollback.catalog.facts.reading import comparable, read
from alembic_rollback.catalog.facts.registry import KINDS, NotRestorable
from alembic_rollback.sql.names import quote_identifier, quote_literal

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

SETTINGS = ("SET LOCAL check_function_bodies = off",)
"""What to run before the statements: a function's body may name what comes after it."""

Address: TypeAlias = tuple[int, int, int]
"""pg_depend's classid, objid, objsubid."""


@dataclass(frozen=True)
class Definition:
    """An object, and how to make it again."""

    address: Address
    kind: str
    """pg_identify_object's type: `view`, `table constraint`, `policy`, …"""
    name: str
    """pg_identify_object's identity."""
    statements: tuple[str, ...] = ()
    """SQL that makes it again, in order, without trailing semicolons."""
    missing: str = ""
    """Why it cannot be made again from its definition; then there are no statements."""


_EXTENSION = (
    "SELECT quote_ident(extname) FROM pg_extension JOIN pg_depend d ON d.refobjid = "
    "pg_extension.oid WHERE d.classid = given.classid AND d.objid = given.objid "
    "AND d.refclassid = CAST('pg_extension' AS regclass) AND d.deptype = 'e'"
)
# Made together with another: a view's rule, a table's TOAST, what a partition has from its parent.
# An expression is internal to its generated column, but what becomes of it is worth saying.
_PART = (
    "SELECT FROM pg_depend d WHERE d.classid = given.classid AND d.objid = given.objid "
    "AND d.objsubid = 0 AND given.objsubid = 0 AND d.deptype IN ('i', 'P', 'S') "
    "AND d.classid <> CAST('pg_attrdef' AS regclass)"
)
_IDENTIFY = (
    "SELECT given.classid, given.objid, given.objsubid, coalesce(one.type, '') AS kind, "
    f"coalesce(one.identity, '') AS name, one.schema AS schema, ({_EXTENSION}) AS extension, "
    f"EXISTS ({_PART}) OR coalesce(one.schema LIKE 'pg_toast%', false) AS part "
    "FROM unnest(CAST(string_to_array(:classes, ',') AS oid[]), "
    "CAST(string_to_array(:oids, ',') AS oid[]), "
    "CAST(string_to_array(:subs, ',') AS integer[])) AS given (classid, objid, objsubid) "
    "CROSS JOIN LATERAL pg_identify_object(given.classid, given.objid, given.objsubid) one"
)
_READABLE = (
    "SELECT CAST(s.seqrelid AS bigint) FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid "
    "WHERE s.seqrelid = ANY (CAST(string_to_array(:oids, ',') AS oid[])) "
    "AND has_schema_privilege(c.relnamespace, 'USAGE') "
    "AND has_sequence_privilege(s.seqrelid, 'SELECT')"
)
# What a table or a materialized view says of an index.
_OF_INDEX = ("clustering", "replica identity")


def definitions(connection: Connection, addresses: Iterable[Address]) -> tuple[Definition, ...]:
    """How to make the objects again: their statements in order, once what they need is there.

    An object that another brings along (a view's rule, a foreign key's triggers, what a partition
    has from its parent) has no definition of its own. Reads only. The statements are to be run
    after SETTINGS, by the role that ran this: an owner is named where it is another.
    """
    given = [Id(one[0], one[1], one[2]) for one in dict.fromkeys(addresses)]
    if not given:
        return ()
    with comparable(connection, elsewhere=True):
        rows = _identified(connection, given)
    snapshot = read(connection, elsewhere=True)
    facts = [snapshot.facts[one] for one in given if one in snapshot.facts and not rows[one].part]
    positions = _positions(connection, [fact for fact in facts if fact.kind == "sequence"])
    columns = _required_columns(snapshot, rows)
    missing = {one: _refusal(one, row) for one, row in rows.items()}
    for fact in facts:
        missing[fact.id] = missing[fact.id] or _lost(fact, snapshot, positions)
    for one, row in rows.items():
        if one not in snapshot.facts and one not in columns and not row.part:
            missing[one] = missing[one] or _unknown(row, snapshot)
    made = _made(snapshot, {fact.id for fact in facts}, columns, missing)
    for one, position in positions.items():
        if one in made:
            made[one].append(position)
    refused = [one for one, reason in missing.items() if reason]
    return tuple(
        Definition(one[:3], rows[one].kind, rows[one].name, tuple(made.get(one, ())), missing[one])
        for one in (*refused, *(one for one, statements in made.items() if statements))
    )


def _identified(connection: Connection, given: Sequence[Id]) -> dict[Id, Any]:
    from sqlalchemy import text

    columns = [",".join(str(one[part]) for one in given) for part in range(3)]
    values = dict(zip(("classes", "oids", "subs"), columns, strict=True))
    return {Id(*row[:3]): row for row in connection.execute(text(_IDENTIFY), values)}


# Why it cannot be made again -------------------------------------------------------------------


def _refusal(one: Id, row: Any) -> str:
    """Whatever its kind."""
    if not row.name:
        return "it is not there"
    if (row.schema or "").startswith("pg_temp"):
        return "it is temporary: it goes with its session"
    if row.extension:
        return f"it belongs to extension {row.extension}, which makes it"
    if one.objsubid:
        return "its values are lost; restore them from a backup"
    return ""


def _lost(fact: Fact, snapshot: Snapshot, positions: Mapping[Id, str]) -> str:
    """Because of what it is."""
    if fact.kind == "table" and fact.details["kind"] != "f":
        return "its rows are lost; restore them from a backup"
    if fact.kind == "sequence" and fact.id not in positions:
        return "its value can't be read: SELECT on it, or USAGE of its schema, is not granted"
    if fact.kind == "index" and any(i.details.get("invalid") for i in _tree(fact, snapshot)):
        return "it is invalid: CREATE INDEX CONCURRENTLY or REINDEX left it unfinished"
    if fact.kind == "user mapping":
        return "its options may hold a password, which is not kept"
    if fact.kind == "range type" and "CANONICAL" in fact.details["range"]:
        function = fact.details["range"]["CANONICAL"]
        return f"its function {function} needs the type before it, and it the function"
    return ""


def _unknown(row: Any, snapshot: Snapshot) -> str:
    """Because there is no fact of it."""
    column = snapshot.by_key.get(("column", row.name.removeprefix("for ")))
    if column is not None and column.details.get("generated"):
        name, sql = quote_identifier(column.details["name"]), column.details["generated"]["sql"]
        return f"column {name} is generated from it, and goes with it: {sql}"
    return f"no definition is known for {row.kind}"


# What makes it ---------------------------------------------------------------------------------


def _made(
    snapshot: Snapshot, facts: set[Id], columns: Mapping[Id, Fact], missing: dict[Id, str]
) -> dict[Id, list[str]]:
    """By object its statements, in the order in which the objects can be made.

    columns: by constraint, those that are NOT NULL. missing: grows by what turns out to be.
    """
    while True:
        wanted = {one for one in facts if not missing[one]}
        apart = {one for one in facts if not _comes_along(snapshot.facts[one], snapshot, wanted)}
        parts = _parts(snapshot, wanted & apart, apart, columns)
        try:
            steps = making(snapshot, parts)
        except NotRestorable as error:
            missing[parts[error.fact.id]] = error.reason
            continue
        # What makes the object itself comes first: that shows whether its name is free.
        found = {
            one: _not_null(column, snapshot)
            for one, column in columns.items()
            if not _comes_along(column, snapshot, wanted)
        }
        found |= {one: list(statements) for one, statements in steps if parts[one] == one}
        for one, statements in steps:
            if parts[one] != one and parts[one] in found:
                found[parts[one]] += statements
        return found


def _comes_along(fact: Fact, snapshot: Snapshot, wanted: Collection[Id]) -> bool:
    """Whether what makes another makes it too."""
    if KINDS[fact.kind].inherent(fact) or any(snapshot.children_of(fact, "attachment")):
        return True
    if any(snapshot.facts[one].kind == "base type" for one in snapshot.goes_with.get(fact.id, ())):
        return True
    while fact.parent is not None:
        fact = snapshot.parent_of(fact)
        if fact.id in wanted and fact.kind in ("domain", "table"):
            return True
    return False


def _parts(
    snapshot: Snapshot, wanted: Collection[Id], apart: Collection[Id], others: Collection[Id]
) -> dict[Id, Id]:
    """By fact that has to be made, the object that it belongs to.

    others: objects that have no fact, but perhaps a comment.
    """
    found = {one: one.object for one in snapshot.facts if one.object in others}
    for whole in wanted:
        for fact in _tree(snapshot.facts[whole], snapshot, apart):
            found[fact.id] = whole
    return found


def _tree(fact: Fact, snapshot: Snapshot, apart: Collection[Id] = ()) -> Iterator[Fact]:
    """A fact, what is part of it, and what goes silently with it, but for what stands apart."""
    seen, following = {fact.id}, [fact]
    while following:
        one = following.pop()
        yield one
        parts = [part for part in snapshot.children.get(one.id, ()) if part.kind not in _OF_INDEX]
        along = [snapshot.facts[other] for other in snapshot.takes_along.get(one.id, ())]
        for other in (*parts, *along, *_said_of(one, snapshot)):
            if other.id not in seen and other.id not in apart and other.kind != "table":
                seen.add(other.id)
                following.append(other)


def _said_of(fact: Fact, snapshot: Snapshot) -> Iterator[Fact]:
    """What its table says of an index."""
    if fact.kind in ("index", "constraint") and fact.parent is not None:
        for one in snapshot.children[fact.parent]:
            if one.kind in _OF_INDEX and one.details.get("index") == fact.details["name"]:
                yield one


# What the facts don't tell ---------------------------------------------------------------------


def _required_columns(snapshot: Snapshot, rows: Mapping[Id, Any]) -> dict[Id, Fact]:
    """By constraint the columns that it makes NOT NULL, which is a fact of theirs."""
    constraints = {
        row.name: one
        for one, row in rows.items()
        if row.kind == "table constraint" and one not in snapshot.facts
    }
    found = {}
    for column in snapshot.facts.values() if constraints else ():
        required = column.details.get("not null") if column.kind == "column" else None
        if required and "name" in required:
            table = snapshot.parent_of(column)
            name = f"{quote_identifier(required['name'])} on {table.key}"
            if name in constraints:
                found[constraints[name]] = column
    return found


def _not_null(column: Fact, snapshot: Snapshot) -> list[str]:
    without = {key: value for key, value in column.details.items() if key != "not null"}
    old = replace(column, details=without)
    return list(KINDS["column"].change(old, column, snapshot) or ())


def _positions(connection: Connection, sequences: Iterable[Fact]) -> dict[Id, str]:
    """What sets those that may be read to where they are."""
    from sqlalchemy import text

    names = {fact.id.objid: fact for fact in sequences}
    if not names:
        return {}
    values = {"oids": ",".join(map(str, names))}
    reads = [
        f"SELECT CAST({row[0]} AS bigint), last_value, is_called FROM {names[row[0]].name}"
        for row in connection.execute(text(_READABLE), values)
    ]
    options = {"no_parameters": True}
    sql = " UNION ALL ".join(reads)
    found = connection.exec_driver_sql(sql, execution_options=options) if reads else ()
    return {
        names[oid].id: f"SELECT pg_catalog.setval({quote_literal(names[oid].name)}, {value}, "
        + ("true)" if called else "false)")
        for oid, value, called in found
    }
