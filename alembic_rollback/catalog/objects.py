"""Objects of every kind: found by name, described in PostgreSQL's own words. Reads only.

Names are looked up in the catalogs themselves: a cast to regclass would see neither what a plan
has dropped by then nor what it has renamed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alembic_rollback.catalog.dependencies import Address

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


@dataclass(frozen=True)
class Found:
    """An object that has the name which was asked for."""

    address: Address
    schema: str
    """Empty for what lives in no schema."""
    name: str
    detail: str = ""
    """pg_class.relkind; of a routine its argument types' oids; of a collation its encoding."""


@dataclass(frozen=True)
class _Space:
    """A catalog in which names are unique within a schema."""

    catalog: str
    classid: int
    prefix: str
    """Of its columns: `rel` for pg_class.relname and relnamespace."""
    detail: str = "''"
    schemas: bool = True


_SPACES = {
    "relation": _Space("pg_class", 1259, "rel", "CAST(relkind AS text)"),
    "type": _Space("pg_type", 1247, "typ", "CAST(typtype AS text)"),
    "routine": _Space("pg_proc", 1255, "pro", "CAST(proargtypes AS text)"),
    "collation": _Space("pg_collation", 3456, "coll"),
    "conversion": _Space("pg_conversion", 2607, "con"),
    "statistics": _Space("pg_statistic_ext", 3381, "stx"),
    "text search configuration": _Space("pg_ts_config", 3602, "cfg"),
    "text search dictionary": _Space("pg_ts_dict", 3600, "dict"),
    "text search parser": _Space("pg_ts_parser", 3601, "prs"),
    "text search template": _Space("pg_ts_template", 3764, "tmpl"),
    "schema": _Space("pg_namespace", 2615, "nsp", schemas=False),
    "extension": _Space("pg_extension", 3079, "ext", schemas=False),
    "foreign data wrapper": _Space("pg_foreign_data_wrapper", 2328, "fdw", schemas=False),
    "server": _Space("pg_foreign_server", 1417, "srv", schemas=False),
    "language": _Space("pg_language", 2612, "lan", schemas=False),
    "access method": _Space("pg_am", 2601, "am", schemas=False),
    "publication": _Space("pg_publication", 6104, "pub", schemas=False),
    "event trigger": _Space("pg_event_trigger", 3466, "evt", schemas=False),
}
CLASSES = {space: one.classid for space, one in _SPACES.items()}

_PARTS = {
    "constraint": ("pg_constraint", 2606, "conname", "conrelid"),
    "domain constraint": ("pg_constraint", 2606, "conname", "contypid"),
    "policy": ("pg_policy", 3256, "polname", "polrelid"),
    "rule": ("pg_rewrite", 2618, "rulename", "ev_class"),
    "trigger": ("pg_trigger", 2620, "tgname", "tgrelid"),
}
PART_CLASSES = {space: one[1] for space, one in _PARTS.items()}

_IN_A_PATH = re.compile(r'("(?:[^"]|"")*")|([^\s,"]+)')

_DESCRIBE = (
    "SELECT a.classid, a.objid, a.sub, i.type, i.identity, "
    "pg_describe_object(a.classid, a.objid, a.sub), p.classid, p.objid, p.sub, p.hidden "
    "FROM unnest(CAST(string_to_array(:classes, ',') AS oid[]), "
    "CAST(string_to_array(:oids, ',') AS oid[]), "
    "CAST(string_to_array(:subs, ',') AS integer[])) AS a (classid, objid, sub) "
    "CROSS JOIN LATERAL pg_identify_object(a.classid, a.objid, a.sub) AS i "
    "LEFT JOIN LATERAL ("
    # Which relation it is a part of, and whether PostgreSQL makes it without being asked.
    "SELECT 1259 AS classid, adrelid AS objid, CAST(adnum AS integer) AS sub, "
    "attgenerated <> '' AS hidden FROM pg_attrdef d "
    "JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum "
    "WHERE a.classid = 2604 AND d.oid = a.objid "
    "UNION ALL SELECT 1259, a.objid, 0, false WHERE a.classid = 1259 AND a.sub <> 0 "
    "UNION ALL SELECT CASE WHEN conrelid <> 0 THEN 1259 ELSE 1247 END, "
    "CASE WHEN conrelid <> 0 THEN conrelid ELSE contypid END, 0, contype IN ('t', 'n') "
    "FROM pg_constraint WHERE a.classid = 2606 AND oid = a.objid "
    "UNION ALL SELECT 1259, ev_class, 0, rulename = '_RETURN' "
    "FROM pg_rewrite WHERE a.classid = 2618 AND oid = a.objid "
    "UNION ALL SELECT 1259, tgrelid, 0, tgisinternal "
    "FROM pg_trigger WHERE a.classid = 2620 AND oid = a.objid "
    "UNION ALL SELECT 1259, polrelid, 0, false "
    "FROM pg_policy WHERE a.classid = 3256 AND oid = a.objid "
    "UNION ALL SELECT 1259, indrelid, 0, false "
    "FROM pg_index WHERE a.classid = 1259 AND a.sub = 0 AND indexrelid = a.objid "
    "UNION ALL SELECT 1259, prrelid, 0, false "
    "FROM pg_publication_rel WHERE a.classid = 6106 AND oid = a.objid "
    "UNION ALL SELECT 1259, stxrelid, 0, false "
    "FROM pg_statistic_ext WHERE a.classid = 3381 AND oid = a.objid "
    "UNION ALL SELECT 1247, typelem, 0, true FROM pg_type "
    "WHERE a.classid = 1247 AND oid = a.objid AND typcategory = 'A' AND typelem <> 0 "
    "UNION ALL SELECT 1259, typrelid, 0, true FROM pg_type JOIN pg_class r ON r.oid = typrelid "
    "WHERE a.classid = 1247 AND pg_type.oid = a.objid AND r.relkind <> 'c'"
    ") AS p ON true"
)

_NAMES_NEEDED = (
    "WITH a (classid, objid) AS (SELECT * FROM unnest("
    "CAST(string_to_array(:classes, ',') AS oid[]), CAST(string_to_array(:oids, ',') AS oid[]))) "
    + " UNION ".join(
        [
            f"SELECT {one.prefix}name FROM a JOIN {one.catalog} ON oid = objid "
            f"WHERE classid = {one.classid}"
            for one in _SPACES.values()
        ]
        + [
            f"SELECT relname FROM a JOIN {catalog} p ON p.oid = objid "
            f"JOIN pg_class r ON r.oid = p.{owner} WHERE classid = {classid}"
            for catalog, classid, _, owner in _PARTS.values()
            if owner != "contypid"
        ]
    )
)


@dataclass(frozen=True)
class Description:
    """What an object is called, and what it is a part of."""

    kind: str
    identity: str
    shown: str
    """In the words of PostgreSQL's messages: `view totals`, `column total of table orders`."""
    parent: Address | None = None
    hidden: bool = False
    """PostgreSQL makes it by itself: a row type, an array type, a trigger of a foreign key."""


def named(connection: Connection, space: str, names: Iterable[str]) -> list[Found]:
    """Every object of a kind with one of these names, in whatever schema."""
    one = _SPACES[space]
    schema = f"(SELECT nspname FROM pg_namespace WHERE oid = {one.prefix}namespace)"
    if not one.schemas:
        schema = "''"
    sql = (
        f"SELECT oid, {schema}, {one.prefix}name, {one.detail} "
        f"FROM {one.catalog} WHERE {one.prefix}name IN "
        "(SELECT CAST(jsonb_array_elements_text(CAST(:names AS jsonb)) AS name))"
    )
    rows = _query(connection, sql, names=json.dumps(list(names))).all()
    return [Found(Address(one.classid, oid), *rest) for oid, *rest in rows]


def part(connection: Connection, space: str, owner: Address, name: str) -> Address | None:
    """The constraint, policy, rule or trigger of that name of a table (or domain)."""
    catalog, classid, name_column, owner_column = _PARTS[space]
    sql = f"SELECT oid FROM {catalog} WHERE {owner_column} = :owner AND {name_column} = :name"
    oid = _query(connection, sql, owner=owner.objid, name=name).scalar()
    return None if oid is None else Address(classid, oid)


def parts_of(
    connection: Connection, owners: Iterable[Address]
) -> dict[tuple[str, Address, str], Address]:
    """Every constraint, policy, rule and trigger of some tables, by kind, table and name."""
    oids = "ANY (CAST(string_to_array(:oids, ',') AS oid[]))"
    sql = " UNION ALL ".join(
        f"SELECT '{space}', {owner}, CAST({name} AS text), oid FROM {catalog} "
        f"WHERE {owner} = {oids}"
        for space, (catalog, _, name, owner) in _PARTS.items()
        if space != "domain constraint"
    )
    rows = _query(connection, sql, oids=",".join(str(owner.objid) for owner in owners)).all()
    return {
        (space, Address(1259, owner), name): Address(PART_CLASSES[space], oid)
        for space, owner, name, oid in rows
    }


def columns(connection: Connection, relation: Address) -> dict[str, int]:
    """A relation's columns by name, with their numbers."""
    sql = (
        "SELECT attname, attnum FROM pg_attribute "
        "WHERE attrelid = :oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    )
    return {row[0]: row[1] for row in _query(connection, sql, oid=relation.objid)}


def children(connection: Connection, relation: Address) -> list[tuple[Address, bool]]:
    """Tables that inherit from a table, with whether they are its partitions."""
    sql = (
        "SELECT inhrelid, relispartition FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid "
        "WHERE inhparent = :oid ORDER BY inhrelid"
    )
    rows = _query(connection, sql, oid=relation.objid)
    return [(Address(1259, row[0]), row[1]) for row in rows]


def inherited_columns(connection: Connection, relation: Address) -> dict[str, tuple[int, bool]]:
    """Inherited columns by name: from how many parents, and whether also declared here."""
    sql = (
        "SELECT attname, attinhcount, attislocal FROM pg_attribute "
        "WHERE attrelid = :oid AND attnum > 0 AND NOT attisdropped AND attinhcount > 0"
    )
    rows = _query(connection, sql, oid=relation.objid)
    return {row[0]: (row[1], row[2]) for row in rows}


def inherited_constraints(connection: Connection, relation: Address) -> dict[str, tuple[int, bool]]:
    """Inherited constraints by name: from how many parents, and whether also declared here."""
    sql = (
        "SELECT conname, coninhcount, conislocal FROM pg_constraint "
        "WHERE conrelid = :oid AND coninhcount > 0"
    )
    rows = _query(connection, sql, oid=relation.objid)
    return {row[0]: (row[1], row[2]) for row in rows}


def default_of(connection: Connection, column: Address) -> Address | None:
    """The default, or the expression of a generated column."""
    sql = "SELECT oid FROM pg_attrdef WHERE adrelid = :oid AND adnum = :number"
    oid = _query(connection, sql, oid=column.objid, number=column.objsubid).scalar()
    return None if oid is None else Address(2604, oid)


def columns_of_defaults(
    connection: Connection, defaults: Iterable[Address]
) -> dict[Address, Address]:
    """The column that has each default."""
    sql = (
        "SELECT oid, adrelid, CAST(adnum AS integer) FROM pg_attrdef "
        "WHERE oid = ANY (CAST(string_to_array(:oids, ',') AS oid[]))"
    )
    rows = _query(connection, sql, oids=",".join(str(default.objid) for default in defaults)).all()
    return {Address(2604, row[0]): Address(1259, row[1], row[2]) for row in rows}


def same_key(connection: Connection, one: int, other: int) -> bool:
    """Whether a foreign key can be of these types, by oid (ATAddForeignKeyConstraint)."""
    sql = (
        "WITH base AS (SELECT oid, CASE WHEN typtype = 'd' THEN typbasetype ELSE oid END AS b "
        "FROM pg_type WHERE oid IN (:one, :other)), "
        "pair AS (SELECT x.b AS x, y.b AS y FROM base x, base y "
        "WHERE x.oid = :one AND y.oid = :other) "
        "SELECT count(*) > 0 FROM pair WHERE x = y "
        "OR EXISTS (SELECT FROM pg_amop WHERE amopmethod = 403 AND amopstrategy = 3 "
        "AND amoplefttype = x AND amoprighttype = y) "
        "OR EXISTS (SELECT FROM pg_cast WHERE castcontext = 'i' "
        "AND castsource IN (x, y) AND casttarget IN (x, y))"
    )
    return bool(_query(connection, sql, one=one, other=other).scalar())


def equal_indexes(
    connection: Connection, table: Address, numbers: Iterable[int], *, unique: bool
) -> list[Address]:
    """Plain indexes on just these columns that are attached to no other index."""
    sql = (
        "SELECT indexrelid FROM pg_index WHERE indrelid = :oid AND indisunique = :unique "
        "AND indpred IS NULL AND indexprs IS NULL AND CAST(indkey AS text) = :numbers "
        "AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = indexrelid) "
        "ORDER BY indexrelid"
    )
    key = " ".join(str(number) for number in numbers)
    rows = _query(connection, sql, oid=table.objid, unique=unique, numbers=key)
    return [Address(1259, row[0]) for row in rows]


def is_handed_down(connection: Connection, constraint: Address) -> bool:
    """Whether a constraint is of a kind that has one name in all tables below."""
    sql = "SELECT contype IN ('c', 'n') AND NOT connoinherit FROM pg_constraint WHERE oid = :oid"
    return bool(_query(connection, sql, oid=constraint.objid).scalar())


def nature_of(connection: Connection, column: Address) -> str:
    """`identity`, `generated` or, for any other column, nothing."""
    sql = (
        "SELECT CASE WHEN attidentity <> '' THEN 'identity' WHEN attgenerated <> '' "
        "THEN 'generated' ELSE '' END FROM pg_attribute WHERE attrelid = :oid AND attnum = :number"
    )
    found = _query(connection, sql, oid=column.objid, number=column.objsubid).scalar()
    return str(found or "")


def keys_of(connection: Connection, table: Address) -> dict[frozenset[int], Address]:
    """The unique indexes that a foreign key can point at, by the numbers of their columns."""
    sql = (
        "SELECT indexrelid, CAST(CAST(indkey AS smallint[]) AS integer[]) FROM pg_index "
        "WHERE indrelid = :oid AND indisunique AND indpred IS NULL AND indexprs IS NULL "
        "ORDER BY indisprimary, indexrelid DESC"
    )
    rows = _query(connection, sql, oid=table.objid)
    return {frozenset(row[1]): Address(1259, row[0]) for row in rows}


@dataclass(frozen=True)
class End:
    """One end of a foreign key: a column with the oid of its type."""

    column: Address
    type: int


def key_types(connection: Connection, column: Address) -> list[tuple[int, End, End]]:
    """The oid and both ends of each foreign key of a column, the referenced one last."""
    sql = (
        "SELECT c.oid, conrelid, CAST(k.here AS integer), here.atttypid, "
        "confrelid, CAST(k.there AS integer), there.atttypid FROM pg_constraint c "
        "CROSS JOIN LATERAL unnest(conkey, confkey) AS k (here, there) "
        "JOIN pg_attribute here ON here.attrelid = conrelid AND here.attnum = k.here "
        "JOIN pg_attribute there ON there.attrelid = confrelid AND there.attnum = k.there "
        "WHERE contype = 'f' AND ((conrelid = :oid AND k.here = :number) "
        "OR (confrelid = :oid AND k.there = :number))"
    )
    rows = _query(connection, sql, oid=column.objid, number=column.objsubid)
    return [
        (oid, End(Address(1259, a, b), c), End(Address(1259, d, e), f))
        for oid, a, b, c, d, e, f in rows
    ]


def not_null_of(connection: Connection, column: Address) -> Address | None:
    """The constraint behind NOT NULL, which PostgreSQL has from 18 on."""
    sql = (
        "SELECT oid FROM pg_constraint "
        "WHERE conrelid = :oid AND contype = 'n' AND conkey = ARRAY[CAST(:number AS smallint)]"
    )
    oid = _query(connection, sql, oid=column.objid, number=column.objsubid).scalar()
    return None if oid is None else Address(2606, oid)


def foreign_keys(connection: Connection, table: Address, target: Address) -> list[Address]:
    """A table's foreign keys that point at another."""
    sql = (
        "SELECT oid FROM pg_constraint "
        "WHERE contype = 'f' AND conrelid = :oid AND confrelid = :target"
    )
    rows = _query(connection, sql, oid=table.objid, target=target.objid)
    return [Address(2606, row[0]) for row in rows]


def search_path(connection: Connection) -> tuple[str, ...]:
    """The schemas that a name without one is looked for in, in order; some need not be there."""
    sql = "SELECT current_schemas(true), current_setting('search_path'), CAST(current_user AS text)"
    here, setting, user = _query(connection, sql).one()
    named = (
        quoted[1:-1].replace('""', '"') if quoted else plain.lower()
        for quoted, plain in _IN_A_PATH.findall(setting)
    )
    listed = [user if name == "$user" else name for name in named]
    implied = [name for name in here if name not in listed]
    return (*implied, *listed)


def type_oid(connection: Connection, text: str) -> int | None:
    """The type that some SQL means (`integer`, `app.status[]`); None where there is none."""
    found: int | None = _query(
        connection, "SELECT CAST(to_regtype(:text) AS oid)", text=text
    ).scalar()
    return found


def describe(connection: Connection, addresses: Iterable[Address]) -> dict[Address, Description]:
    """Kind, names and parent of each object that exists."""
    listed = list(addresses)
    if not listed:
        return {}
    rows = _query(
        connection,
        _DESCRIBE,
        classes=",".join(str(a.classid) for a in listed),
        oids=",".join(str(a.objid) for a in listed),
        subs=",".join(str(a.objsubid) for a in listed),
    )
    found: dict[Address, Description] = {}
    for classid, objid, sub, kind, identity, shown, *parent, hidden in rows.all():
        owner = Address(*parent) if parent[1] else None
        if identity is not None:
            found[Address(classid, objid, sub)] = Description(
                kind, identity, shown, owner, bool(hidden) or identity.startswith("pg_toast.")
            )
    return found


def names_needed(connection: Connection, addresses: Iterable[Address]) -> set[str]:
    """Of each object that exists, the name without which no SQL can say which one is meant.

    A part of a table is named together with its table: the table's name.
    """
    listed = [address for address in addresses if address.objid > 0]
    if not listed:
        return set()
    rows = _query(
        connection,
        _NAMES_NEEDED,
        classes=",".join(str(a.classid) for a in listed),
        oids=",".join(str(a.objid) for a in listed),
    )
    return {str(row[0]) for row in rows}


def _query(connection: Connection, sql: str, **values: Any) -> Any:
    from sqlalchemy import text

    return connection.execute(text(sql), values)
