"""COMMENT ON and SECURITY LABEL, also for a relation's columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from alembic_rollback.catalog.definitions.model import Address, Recipe
from alembic_rollback.catalog.definitions.reader import GIVEN, Reader

_COMMENTS = (
    "SELECT given.classid, given.objid, given.objsubid, remark.verb, "
    "quote_ident(a.attname) AS attname, quote_literal(remark.text) AS text "
    f"FROM {GIVEN} CROSS JOIN LATERAL ("
    "SELECT 'COMMENT', objsubid, description FROM pg_description "
    "WHERE classoid = given.classid AND objoid = given.objid "
    "UNION ALL "
    "SELECT format('SECURITY LABEL FOR %I', provider), objsubid, label FROM pg_seclabel "
    "WHERE classoid = given.classid AND objoid = given.objid"
    ") AS remark (verb, number, text) "
    "LEFT JOIN pg_attribute a ON given.classid = CAST('pg_class' AS regclass) "
    "AND a.attrelid = given.objid AND a.attnum = remark.number AND remark.number > 0 "
    "ORDER BY remark.number, remark.verb"
)


def comments(reader: Reader, made: Mapping[Address, Recipe]) -> dict[Address, list[str]]:
    """The statements that put the objects' comments and labels back."""
    found: dict[Address, list[str]] = defaultdict(list)
    for row in reader.addressed(_COMMENTS, made):
        address = (row[0], row[1], row[2])
        recipe = made[address]
        whole = f"{recipe.noun} {recipe.name}"
        target = f"COLUMN {recipe.name}.{row.attname}" if row.attname else whole
        found[address].append(f"{row.verb} ON {target} IS {row.text}")
    return found
