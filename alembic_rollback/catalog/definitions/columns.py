"""Columns' defaults."""

from __future__ import annotations

from collections.abc import Iterable

from alembic_rollback.catalog.definitions.model import Recipe, lost
from alembic_rollback.catalog.definitions.reader import OIDS, Reader, Recipes, relation

_DEFAULTS = (
    f"SELECT d.oid, {relation('d.adrelid')} AS owner, quote_ident(a.attname) AS name, "
    "a.attgenerated <> '' AS generated, pg_get_expr(d.adbin, d.adrelid) AS sql "
    "FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum "
    f"WHERE d.oid = {OIDS}"
)


def defaults(reader: Reader, oids: Iterable[int]) -> Recipes:
    """SET DEFAULT; the expression of a generated column goes together with the column."""
    found = {}
    for row in reader.rows(_DEFAULTS, oids):
        # ONLY: each child table has a default of its own.
        set_default = f"ALTER TABLE ONLY {row.owner} ALTER COLUMN {row.name} SET DEFAULT {row.sql}"
        found[row.oid] = (
            lost(f"column {row.name} is generated from it, and goes with it: {row.sql}")
            if row.generated
            else Recipe((set_default,))
        )
    return found
