"""Rewrite rules other than the one that is a view's query."""

from __future__ import annotations

from collections.abc import Iterable

from alembic_rollback.catalog.definitions.model import PART, Recipe
from alembic_rollback.catalog.definitions.reader import OIDS, Reader, Recipes, relation
from alembic_rollback.catalog.definitions.triggers import STATES

_RULES = (
    f"SELECT oid, quote_ident(rulename) AS name, {relation('ev_class')} AS owner, "
    "ev_type = '1' AS part, pg_get_ruledef(oid) AS sql, CAST(ev_enabled AS text) AS state "
    f"FROM pg_rewrite WHERE oid = {OIDS}"
)


def rules(reader: Reader, oids: Iterable[int]) -> Recipes:
    """CREATE RULE."""
    found = {}
    for row in reader.rows(_RULES, oids):
        create = row.sql.strip().removesuffix(";")
        state = STATES.get(row.state)
        after = (f"ALTER TABLE {row.owner} {state} RULE {row.name}",) if state else ()
        name = f"{row.name} ON {row.owner}"
        found[row.oid] = PART if row.part else Recipe((create,), "RULE", name, after)
    return found
