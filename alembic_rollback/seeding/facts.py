"""What seeding must know of the tables, in one query a catalog: columns, types, constraints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alembic_rollback.sql.names import quote_always, quote_literal

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

Name = tuple[str, str]
"""Schema and name."""


@dataclass(frozen=True)
class Type:
    """A type as far as its values depend on it."""

    oid: int
    name: str
    """pg_type.typname."""
    shown: str
    """As a cast writes it."""
    kind: str
    """pg_type.typtype: b base, d domain, e enum, c composite, r range, m multirange, p pseudo."""
    category: str
    """pg_type.typcategory."""
    base: int
    """Of an array its element, of a domain its base type, of a (multi)range its subtype."""
    base_modifier: int
    required: bool
    labels: tuple[str, ...] = ()
    fields: tuple[tuple[int, int], ...] = ()
    """Of a composite: type and modifier of each."""
    checks: tuple[str, ...] = ()
    """Of a domain: expressions of VALUE."""

    @property
    def is_array(self) -> bool:
        """Whether it is a true array; int2vector and oidvector are written in another way."""
        vectors = ("int2vector", "oidvector")
        return self.category == "A" and self.kind == "b" and self.name not in vectors


@dataclass(frozen=True)
class Column:
    """A column, and what fills it when an INSERT does not."""

    name: str
    type: int
    modifier: int
    shown_type: str
    required: bool
    generated: str = ""
    """The expression of GENERATED ALWAYS AS."""
    next: str = ""
    """An expression with the next value of its sequence, where it has an identity or such a
    default."""


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key; the columns in the constraint's order."""

    name: str
    columns: tuple[str, ...]
    target: int
    target_name: Name
    target_kind: str
    target_columns: tuple[str, ...]
    full: bool
    """MATCH FULL."""


@dataclass(frozen=True)
class Unique:
    """A unique index over plain columns."""

    columns: tuple[str, ...]
    nulls_distinct: bool


@dataclass(frozen=True)
class Switch:
    """A trigger or rule of a user that is not disabled, and how it is enabled."""

    kind: str
    """`TRIGGER` or `RULE`."""
    name: str
    state: str
    """O, R or A, as in pg_trigger.tgenabled and pg_rewrite.ev_enabled."""


@dataclass
class Table:
    """A table that can be seeded, or a partitioned one that stands above such tables."""

    oid: int
    name: Name
    kind: str
    """pg_class.relkind: r or p."""
    root: int
    """The topmost partitioned table; of all others the table itself."""
    parent: int | None
    """Of a partition."""
    bound: str
    """Of a partition: everything that its rows must satisfy, as an expression."""
    rows: int = 0
    columns: dict[str, Column] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)
    uniques: list[Unique] = field(default_factory=list)
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    switches: list[Switch] = field(default_factory=list)

    @property
    def quoted(self) -> str:
        """The name as SQL."""
        return quoted(self.name)


@dataclass(frozen=True)
class Facts:
    """Everything that was read: tables and types by oid."""

    tables: dict[int, Table]
    types: dict[int, Type]


def quoted(name: Name) -> str:
    """Schema and name as SQL."""
    return ".".join(quote_always(part) for part in name)


def read(connection: Connection, only: Iterable[int] | None = None) -> Facts:
    """Read what is known of every user table, or of some and their partitions."""
    tables = _tables(connection, None if only is None else set(only))
    if tables:
        _add_columns(connection, tables)
        _add_checks(connection, tables)
        _add_uniques(connection, tables)
        _add_foreign_keys(connection, tables)
        _add_switches(connection, tables)
        count(connection, tables.values())
    return Facts(tables, _types(connection, tables) if tables else {})


def query(connection: Connection, sql: str) -> list[Any]:
    """The rows of a query without parameters, colons and percent signs as they are."""
    found = connection.exec_driver_sql(sql, execution_options={"no_parameters": True})
    return list(found)


def run(connection: Connection, sql: str) -> int:
    """Run a statement as it stands; how many rows it has changed, -1 where that is not known."""
    return connection.exec_driver_sql(sql, execution_options={"no_parameters": True}).rowcount


def count(connection: Connection, tables: Iterable[Table]) -> None:
    """Count the rows that are there now; a partitioned table has those of its partitions."""
    listed = list(tables)
    for first in range(0, len(listed), 200):
        some = listed[first : first + 200]
        sql = " UNION ALL ".join(
            f"SELECT {number}, count(*) FROM {'ONLY ' if table.kind == 'r' else ''}{table.quoted}"
            for number, table in enumerate(some)
        )
        for number, rows in query(connection, sql):
            some[number].rows = rows


_TABLES = """
SELECT c.oid, n.nspname, c.relname, CAST(c.relkind AS text),
    CASE WHEN c.relispartition THEN CAST(pg_partition_root(c.oid) AS oid) ELSE c.oid END,
    CASE WHEN c.relispartition THEN i.inhparent END,
    CASE WHEN c.relispartition THEN pg_get_partition_constraintdef(c.oid) END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND c.relispartition
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = CAST('pg_class' AS regclass)
    AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.oid
"""


def _tables(connection: Connection, only: set[int] | None) -> dict[int, Table]:
    found = {}
    for oid, schema, name, kind, root, parent, bound in query(connection, _TABLES):
        found[oid] = Table(oid, (schema, name), kind, root, parent, bound or "")
    if only is None:
        return found
    return {oid: table for oid, table in found.items() if only & set(lineage(found, oid))}


def lineage(tables: dict[int, Table], oid: int) -> list[int]:
    """A table and the partitioned tables above it."""
    found = [oid]
    while found[-1] in tables and (parent := tables[found[-1]].parent):
        found.append(parent)
    return found


def _among(tables: Iterable[int]) -> str:
    return f"ANY (CAST('{{{','.join(map(str, tables))}}}' AS oid[]))"


def _add_columns(connection: Connection, tables: dict[int, Table]) -> None:
    # Since PostgreSQL 17 a partition has its root's identity, and the sequence is the root's.
    sql = (
        "SELECT a.attrelid, a.attname, a.atttypid, a.atttypmod, "
        "format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated <> '', "
        "pg_get_expr(d.adbin, d.adrelid), "
        "EXISTS (SELECT FROM pg_depend s JOIN pg_class q ON q.oid = s.refobjid AND q.relkind = 'S' "
        "WHERE s.classid = CAST('pg_attrdef' AS regclass) AND s.objid = d.oid), "
        "CASE WHEN a.attidentity <> '' THEN pg_get_serial_sequence(CAST(CAST(CASE "
        "WHEN c.relispartition THEN CAST(pg_partition_root(c.oid) AS oid) ELSE c.oid END "
        "AS regclass) AS text), a.attname) END "
        "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d "
        "ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
        f"WHERE a.attrelid = {_among(tables)} AND a.attnum > 0 AND NOT a.attisdropped "
        "ORDER BY a.attrelid, a.attnum"
    )
    for row in query(connection, sql):
        oid, name, kind, modifier, shown, required, generated, default, counted, sequence = row
        following = default if counted and not generated else ""
        if sequence:
            following = f"nextval({quote_literal(sequence)})"
        tables[oid].columns[name] = Column(
            name, kind, modifier, shown, required, default if generated else "", following
        )


def _add_checks(connection: Connection, tables: dict[int, Table]) -> None:
    sql = (
        "SELECT conrelid, pg_get_expr(conbin, conrelid) FROM pg_constraint "
        f"WHERE contype = 'c' AND conrelid = {_among(tables)} ORDER BY oid"
    )
    for oid, expression in query(connection, sql):
        tables[oid].checks.append(expression)


def _add_uniques(connection: Connection, tables: dict[int, Table]) -> None:
    # The column pg_index.indnullsnotdistinct is there since PostgreSQL 15.
    sql = (
        "SELECT i.indrelid, i.indexrelid, a.attname, "
        "coalesce(CAST(to_jsonb(i) ->> 'indnullsnotdistinct' AS boolean), false) "
        "FROM pg_index i CROSS JOIN LATERAL unnest(CAST(i.indkey AS int2[])) "
        "WITH ORDINALITY k (number, place) LEFT JOIN pg_attribute a "
        "ON a.attrelid = i.indrelid AND a.attnum = k.number "
        f"WHERE i.indisunique AND i.indrelid = {_among(tables)} AND k.place <= i.indnkeyatts "
        "AND i.indexprs IS NULL ORDER BY i.indexrelid, k.place"
    )
    found: dict[tuple[int, int, bool], list[str]] = defaultdict(list)
    for oid, index, column, same in query(connection, sql):
        found[oid, index, same].append(column)
    for (oid, _, same), columns in found.items():
        tables[oid].uniques.append(Unique(tuple(columns), not same))


def _add_foreign_keys(connection: Connection, tables: dict[int, Table]) -> None:
    # A key that points at a partitioned table also has rows for its partitions: no conditions.
    sql = (
        "SELECT k.oid, k.conrelid, k.conname, k.confrelid, n.nspname, c.relname, "
        "CAST(c.relkind AS text), k.confmatchtype = 'f', a.attname, r.attname "
        "FROM pg_constraint k JOIN pg_class c ON c.oid = k.confrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "LEFT JOIN pg_constraint above ON above.oid = k.conparentid "
        "CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS p (own, theirs, place) "
        "JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.own "
        "JOIN pg_attribute r ON r.attrelid = k.confrelid AND r.attnum = p.theirs "
        f"WHERE k.contype = 'f' AND k.conrelid = {_among(tables)} "
        "AND (above.oid IS NULL OR above.conrelid <> k.conrelid) ORDER BY k.oid, p.place"
    )
    found: dict[int, list[Any]] = defaultdict(list)
    for row in query(connection, sql):
        found[row[0]].append(row)
    for rows in found.values():
        _, oid, name, target, schema, target_name, kind, full, _, _ = rows[0]
        own, theirs = (tuple(row[place] for row in rows) for place in (8, 9))
        tables[oid].foreign_keys.append(
            ForeignKey(name, own, target, (schema, target_name), kind, theirs, full)
        )


def _add_switches(connection: Connection, tables: dict[int, Table]) -> None:
    sql = (
        "SELECT tgrelid, 'TRIGGER', tgname, CAST(tgenabled AS text) FROM pg_trigger "
        f"WHERE NOT tgisinternal AND tgenabled <> 'D' AND tgrelid = {_among(tables)} "
        "UNION ALL SELECT ev_class, 'RULE', rulename, CAST(ev_enabled AS text) FROM pg_rewrite "
        f"WHERE ev_type = '3' AND ev_enabled <> 'D' AND ev_class = {_among(tables)} ORDER BY 1, 3"
    )
    for oid, kind, name, state in query(connection, sql):
        tables[oid].switches.append(Switch(kind, name, state))


_TYPES = """
WITH RECURSIVE used (oid) AS (
    SELECT DISTINCT atttypid FROM pg_attribute
    WHERE attrelid = {among} AND attnum > 0 AND NOT attisdropped
    UNION SELECT part.oid FROM used JOIN pg_type t ON t.oid = used.oid CROSS JOIN LATERAL (
        SELECT t.typbasetype UNION ALL SELECT t.typelem
        UNION ALL SELECT rngsubtype FROM pg_range WHERE t.oid IN (rngtypid, rngmultitypid)
        UNION ALL SELECT atttypid FROM pg_attribute WHERE attrelid = t.typrelid
            AND t.typtype = 'c' AND attnum > 0 AND NOT attisdropped) part (oid)
    WHERE part.oid <> 0)
SELECT t.oid, t.typname, format_type(t.oid, NULL), CAST(t.typtype AS text),
    CAST(t.typcategory AS text),
    CASE WHEN t.typtype = 'd' THEN t.typbasetype WHEN t.typtype IN ('r', 'm') THEN
        (SELECT rngsubtype FROM pg_range WHERE t.oid IN (rngtypid, rngmultitypid))
        ELSE t.typelem END,
    t.typtypmod, t.typnotnull,
    ARRAY(SELECT CAST(enumlabel AS text) FROM pg_enum WHERE enumtypid = t.oid
        ORDER BY enumsortorder),
    ARRAY(SELECT CAST(concat(atttypid, ' ', atttypmod) AS text) FROM pg_attribute
        WHERE attrelid = t.typrelid AND t.typtype = 'c' AND attnum > 0 AND NOT attisdropped
        ORDER BY attnum),
    ARRAY(SELECT pg_get_expr(conbin, 0) FROM pg_constraint
        WHERE contypid = t.oid AND contype = 'c' ORDER BY oid)
FROM pg_type t JOIN used ON used.oid = t.oid
"""


def _types(connection: Connection, tables: dict[int, Table]) -> dict[int, Type]:
    found = {}
    for *plain, labels, parts, checks in query(connection, _TYPES.format(among=_among(tables))):
        oid, name, shown, kind, category, base, modifier, required = plain
        fields = tuple((int(a), int(b)) for a, b in (part.split() for part in parts))
        found[oid] = Type(
            oid, name, shown, kind, category, base, modifier, required,
            tuple(labels), fields, tuple(checks),
        )  # fmt: skip
    return found
