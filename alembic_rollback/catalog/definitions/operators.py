"""Operators and casts, which PostgreSQL prints only in parts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from alembic_rollback.catalog.definitions.model import Recipe, lost
from alembic_rollback.catalog.definitions.reader import OIDS, Reader, Recipes, joined

_CASTS = (
    "SELECT oid, format('(%s AS %s)', CAST(castsource AS regtype), CAST(casttarget AS regtype)) "
    "AS name, CASE castmethod WHEN 'i' THEN 'WITH INOUT' WHEN 'b' THEN 'WITHOUT FUNCTION' "
    "ELSE 'WITH FUNCTION ' || CAST(castfunc AS regprocedure) END AS how, "
    "CASE castcontext WHEN 'a' THEN 'AS ASSIGNMENT' WHEN 'i' THEN 'AS IMPLICIT' ELSE '' END "
    f"AS context FROM pg_cast WHERE oid = {OIDS}"
)


def _operator(column: str) -> str:
    return (
        "(SELECT format('OPERATOR(%I.%s)', other_schema.nspname, other.oprname) "
        "FROM pg_operator other JOIN pg_namespace other_schema "
        f"ON other_schema.oid = other.oprnamespace WHERE other.oid = {column})"
    )


_OPERATORS = (
    "SELECT o.oid, format('%I.%s', n.nspname, o.oprname) AS name, o.oprcode <> 0 AS defined, "
    "CAST(o.oprcode AS regproc) AS function, "
    "CASE WHEN o.oprleft <> 0 THEN format_type(o.oprleft, NULL) END AS left_type, "
    "format_type(o.oprright, NULL) AS right_type, "
    f"{_operator('o.oprcom')} AS commutator, {_operator('o.oprnegate')} AS negator, "
    "CAST(nullif(o.oprrest, 0) AS regproc) AS restriction, "
    "CAST(nullif(o.oprjoin, 0) AS regproc) AS join_estimator, "
    "o.oprcanhash AS hashes, o.oprcanmerge AS merges "
    "FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace "
    f"WHERE o.oid = {OIDS}"
)


def casts(reader: Reader, oids: Iterable[int]) -> Recipes:
    """CREATE CAST."""
    return {
        row.oid: Recipe((joined("CREATE CAST", row.name, row.how, row.context),), "CAST", row.name)
        for row in reader.rows(_CASTS, oids)
    }


def operators(reader: Reader, oids: Iterable[int]) -> Recipes:
    """CREATE OPERATOR; two that name each other find each other again."""
    found = {}
    for row in reader.rows(_OPERATORS, oids):
        types = f"({row.left_type or 'NONE'}, {row.right_type})"
        found[row.oid] = (
            Recipe((_create(row),), "OPERATOR", row.name + types)
            if row.defined
            else lost("it was only named by another operator, never made")
        )
    return found


def _create(row: Any) -> str:
    values = {
        "FUNCTION": row.function,
        "LEFTARG": row.left_type,
        "RIGHTARG": row.right_type,
        "COMMUTATOR": row.commutator,
        "NEGATOR": row.negator,
        "RESTRICT": row.restriction,
        "JOIN": row.join_estimator,
    }
    parts = [f"{key} = {value}" for key, value in values.items() if value]
    parts += [key for key, on in (("HASHES", row.hashes), ("MERGES", row.merges)) if on]
    return f"CREATE OPERATOR {row.name} ({', '.join(parts)})"
