"""Constraints of tables and domains; a unique one with its index."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from alembic_rollback.catalog.definitions.indexes import index_settings
from alembic_rollback.catalog.definitions.model import PART, Recipe
from alembic_rollback.catalog.definitions.reader import OIDS, Reader, Recipes, relation

_PG_TYPE = 1247
"""A system catalog's oid never changes."""

_CONSTRAINTS = (
    "SELECT oid, quote_ident(conname) AS name, pg_get_constraintdef(oid) AS sql, "
    f"CASE WHEN conrelid <> 0 THEN {relation('conrelid')} END AS owner, "
    "CAST(CAST(nullif(contypid, 0) AS regtype) AS text) AS domain, "
    "CAST(contypid AS oid) AS domain_oid, "
    "CASE WHEN contype IN ('p', 'u', 'x') THEN conindid END AS index, "
    # A partition's, a child table's, and the shadow of a constraint trigger.
    "conparentid <> 0 OR (coninhcount > 0 AND NOT conislocal) OR contype = 't' AS part "
    "FROM pg_constraint WHERE "
)
_DOMAIN_COMMENTS = (
    "SELECT k.contypid AS oid, format('COMMENT ON CONSTRAINT %I ON DOMAIN %s IS %L', k.conname, "
    "CAST(k.contypid AS regtype), d.description) AS statement "
    "FROM pg_constraint k JOIN pg_description d ON d.objoid = k.oid "
    f"AND d.classoid = CAST('pg_constraint' AS regclass) WHERE k.contypid = {OIDS} "
    "ORDER BY k.oid"
)


def constraints(reader: Reader, oids: Iterable[int]) -> Recipes:
    """ADD CONSTRAINT; what a parent brings along, or a domain that is also made, isn't made."""
    rows = reader.rows(f"{_CONSTRAINTS} oid = {OIDS}", oids)
    settings = index_settings(reader, [row.index for row in rows if row.index], constraints=True)
    return {
        row.oid: PART if row.part or _is_given(reader, row) else _recipe(row, settings)
        for row in rows
    }


def domain_constraints(reader: Reader, domains: Iterable[int]) -> dict[int, list[str]]:
    """By domain, the statements for its constraints and their comments."""
    listed = list(domains)
    found: dict[int, list[str]] = {oid: [] for oid in listed}
    for row in reader.rows(f"{_CONSTRAINTS} contypid = {OIDS} ORDER BY oid", listed):
        found[row.domain_oid].append(_add(row))
    for row in reader.rows(_DOMAIN_COMMENTS, listed):
        found[row.oid].append(row.statement)
    return found


def _is_given(reader: Reader, row: Any) -> bool:
    """Whether its domain is made again, with all its constraints."""
    return (_PG_TYPE, row.domain_oid, 0) in reader.given


def _recipe(row: Any, settings: dict[int, list[str]]) -> Recipe:
    owner = f"DOMAIN {row.domain}" if row.domain else row.owner
    after = tuple(settings.get(row.index, ()))
    return Recipe((_add(row),), "CONSTRAINT", f"{row.name} ON {owner}", after)


def _add(row: Any) -> str:
    # Not ONLY: a parent's constraint is also its children's, and a key makes the index of each.
    owner = f"DOMAIN {row.domain}" if row.domain else f"TABLE {row.owner}"
    return f"ALTER {owner} ADD CONSTRAINT {row.name} {row.sql}"
