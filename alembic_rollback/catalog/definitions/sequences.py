"""Sequences, with the value that they have reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from alembic_rollback.catalog.definitions.model import PART, Recipe, lost
from alembic_rollback.catalog.definitions.reader import OIDS, Reader, Recipes, relation
from alembic_rollback.sql.names import quote_literal

_SEQUENCES = (
    f"SELECT s.seqrelid AS oid, {relation('s.seqrelid')} AS name, "
    "format_type(s.seqtypid, NULL) AS type, s.seqstart AS start, s.seqincrement AS increment, "
    "s.seqmin AS least, s.seqmax AS most, s.seqcache AS cache, s.seqcycle AS cycle, "
    "c.relpersistence = 'u' AS unlogged, d.deptype = 'i' AS identity, "
    "has_schema_privilege(c.relnamespace, 'USAGE') "
    "AND has_sequence_privilege(s.seqrelid, 'SELECT') AS readable, "
    f"{relation('d.refobjid')} || '.' || quote_ident(a.attname) AS owner "
    "FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid "
    "LEFT JOIN pg_depend d ON d.classid = CAST('pg_class' AS regclass) AND d.objid = s.seqrelid "
    "AND d.refclassid = CAST('pg_class' AS regclass) AND d.refobjsubid > 0 "
    "AND d.deptype IN ('a', 'i') "
    "LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid "
    f"WHERE s.seqrelid = {OIDS}"
)


def sequences(reader: Reader, oids: Iterable[int]) -> Recipes:
    """CREATE SEQUENCE, OWNED BY, setval; an identity column's comes with the column."""
    found = {}
    rows = reader.rows(_SEQUENCES, oids)
    values = _values(reader, [row for row in rows if row.readable and not row.identity])
    for row in rows:
        if row.identity:
            found[row.oid] = PART
        elif row.oid in values:
            after = (*_ownership(row), values[row.oid])
            found[row.oid] = Recipe((_create(row),), "SEQUENCE", row.name, after)
        else:
            found[row.oid] = lost(
                "its value can't be read: SELECT on it, or USAGE of its schema, is not granted"
            )
    return found


def _create(row: Any) -> str:
    return (
        f"CREATE {'UNLOGGED ' if row.unlogged else ''}SEQUENCE {row.name} AS {row.type} "
        f"INCREMENT BY {row.increment} MINVALUE {row.least} MAXVALUE {row.most} "
        f"START WITH {row.start} CACHE {row.cache} {'' if row.cycle else 'NO '}CYCLE"
    )


def _ownership(row: Any) -> Iterator[str]:
    if row.owner:
        yield f"ALTER SEQUENCE {row.name} OWNED BY {row.owner}"


def _values(reader: Reader, rows: Iterable[Any]) -> dict[int, str]:
    """By oid the statement that sets a sequence to where it is."""
    names = {row.oid: row.name for row in rows}
    reads = [
        f"SELECT CAST({oid} AS oid), last_value, is_called FROM {name}"
        for oid, name in names.items()
    ]
    found = reader.literally(" UNION ALL ".join(reads)) if reads else []
    return {
        oid: f"SELECT pg_catalog.setval({quote_literal(names[oid])}, {value}, "
        + ("true)" if called else "false)")
        for oid, value, called in found
    }
