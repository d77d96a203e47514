"""Types: enum, composite, range, domain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from alembic_rollback.catalog.definitions.constraints import domain_constraints
from alembic_rollback.catalog.definitions.model import PART, Recipe, lost
from alembic_rollback.catalog.definitions.reader import OIDS, Reader, Recipes, joined


def _collation(column: str, usual: str) -> str:
    """SQL for a collation's name where it isn't the type's own."""
    return (
        "(SELECT format('%I.%I', n.nspname, l.collname) FROM pg_collation l "
        f"JOIN pg_namespace n ON n.oid = l.collnamespace WHERE l.oid = {column} "
        f"AND {column} <> {usual})"
    )


_KIND = (
    "CASE WHEN t.typtype = 'c' AND c.relkind <> 'c' THEN 'row' "
    "WHEN t.typtype = 'b' AND EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid) THEN 'array' "
    "ELSE CAST(t.typtype AS text) END"
)
_TYPES = (
    f"SELECT t.oid, CAST(CAST(t.oid AS regtype) AS text) AS name, {_KIND} AS kind, "
    "t.typisdefined AS defined "
    f"FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid WHERE t.oid = {OIDS}"
)
_ENUMS = (
    "SELECT enumtypid AS oid, string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) "
    f"AS labels FROM pg_enum WHERE enumtypid = {OIDS} GROUP BY enumtypid"
)
_ATTRIBUTES = (
    "SELECT c.reltype AS oid, quote_ident(a.attname) AS name, "
    "format_type(a.atttypid, a.atttypmod) AS type, "
    f"{_collation('a.attcollation', 't.typcollation')} AS collation, "
    "quote_literal(col_description(c.oid, a.attnum)) AS comment "
    "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
    f"JOIN pg_type t ON t.oid = a.atttypid WHERE c.reltype = {OIDS} ORDER BY a.attnum"
)
_RANGES = (
    "SELECT r.rngtypid AS oid, format_type(r.rngsubtype, NULL) AS subtype, "
    "(SELECT format('%I.%I', n.nspname, o.opcname) FROM pg_opclass o JOIN pg_namespace n "
    "ON n.oid = o.opcnamespace WHERE o.oid = r.rngsubopc AND NOT o.opcdefault) AS opclass, "
    f"{_collation('r.rngcollation', 's.typcollation')} AS collation, "
    "CAST(nullif(r.rngsubdiff, 0) AS regproc) AS difference, "
    "CAST(CAST(r.rngmultitypid AS regtype) AS text) AS multirange, "
    "CAST(nullif(r.rngcanonical, 0) AS regproc) AS canonical "
    f"FROM pg_range r JOIN pg_type s ON s.oid = r.rngsubtype WHERE r.rngtypid = {OIDS}"
)
_DOMAINS = (
    "SELECT t.oid, format_type(t.typbasetype, t.typtypmod) AS base, "
    f"{_collation('t.typcollation', 'b.typcollation')} AS collation, "
    "coalesce(pg_get_expr(t.typdefaultbin, 0), quote_literal(t.typdefault)) AS value, "
    # From PostgreSQL 17 on NOT NULL is also a constraint, and comes with the others.
    "t.typnotnull AND NOT EXISTS (SELECT FROM pg_constraint k "
    "WHERE k.contypid = t.oid AND k.contype = 'n') AS required "
    f"FROM pg_type t JOIN pg_type b ON b.oid = t.typbasetype WHERE t.oid = {OIDS}"
)


def types(reader: Reader, oids: Iterable[int]) -> Recipes:
    """CREATE TYPE and CREATE DOMAIN; row, array and multirange types come with another."""
    kinds: dict[str, dict[int, str]] = {}
    for row in reader.rows(_TYPES, oids):
        kinds.setdefault(row.kind if row.defined else "shell", {})[row.oid] = row.name
    found: dict[int, Recipe] = {}
    for kind in ("row", "array", "m"):
        found.update(dict.fromkeys(kinds.get(kind, ()), PART))
    base = lost("a base type needs its functions before it, and they the type")
    found.update(dict.fromkeys(kinds.get("b", ()), base))
    found.update(_enums(reader, kinds.get("e", {})))
    found.update(_composites(reader, kinds.get("c", {})))
    found.update(_ranges(reader, kinds.get("r", {})))
    found.update(_domains(reader, kinds.get("d", {})))
    return found


def _enums(reader: Reader, names: dict[int, str]) -> Recipes:
    labels = {row.oid: row.labels for row in reader.rows(_ENUMS, names)}
    return {
        oid: Recipe((f"CREATE TYPE {name} AS ENUM ({labels.get(oid, '')})",), "TYPE", name)
        for oid, name in names.items()
    }


def _composites(reader: Reader, names: dict[int, str]) -> Recipes:
    rows = reader.rows(_ATTRIBUTES, names)
    found = {}
    for oid, name in names.items():
        attributes = [row for row in rows if row.oid == oid]
        listed = ", ".join(
            joined(row.name, row.type, f"COLLATE {row.collation}" if row.collation else "")
            for row in attributes
        )
        comments = tuple(
            f"COMMENT ON COLUMN {name}.{row.name} IS {row.comment}"
            for row in attributes
            if row.comment
        )
        found[oid] = Recipe((f"CREATE TYPE {name} AS ({listed})",), "TYPE", name, comments)
    return found


def _ranges(reader: Reader, names: dict[int, str]) -> Recipes:
    return {row.oid: _range(row, names[row.oid]) for row in reader.rows(_RANGES, names)}


def _range(row: Any, name: str) -> Recipe:
    if row.canonical:
        return lost(f"its function {row.canonical} needs the type before it, and it the function")
    parameters = {
        "SUBTYPE": row.subtype,
        "SUBTYPE_OPCLASS": row.opclass,
        "COLLATION": row.collation,
        "SUBTYPE_DIFF": row.difference,
        "MULTIRANGE_TYPE_NAME": row.multirange,
    }
    listed = ", ".join(f"{key} = {value}" for key, value in parameters.items() if value)
    return Recipe((f"CREATE TYPE {name} AS RANGE ({listed})",), "TYPE", name)


def _domains(reader: Reader, names: dict[int, str]) -> Recipes:
    constraints = domain_constraints(reader, names)
    found = {}
    for row in reader.rows(_DOMAINS, names):
        create = joined(
            f"CREATE DOMAIN {names[row.oid]} AS {row.base}",
            f"COLLATE {row.collation}" if row.collation else "",
            f"DEFAULT {row.value}" if row.value else "",
            "NOT NULL" if row.required else "",
        )
        after = tuple(constraints[row.oid])
        found[row.oid] = Recipe((create,), "DOMAIN", names[row.oid], after)
    return found
