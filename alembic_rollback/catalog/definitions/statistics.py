"""Extended statistics."""

from __future__ import annotations

from collections.abc import Iterable

from alembic_rollback.catalog.definitions.model import Recipe
from alembic_rollback.catalog.definitions.reader import OIDS, Reader, Recipes

_STATISTICS = (
    "SELECT s.oid, format('%I.%I', n.nspname, s.stxname) AS name, "
    "pg_get_statisticsobjdef(s.oid) AS sql, s.stxstattarget AS target "
    "FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace "
    f"WHERE s.oid = {OIDS}"
)


def statistics(reader: Reader, oids: Iterable[int]) -> Recipes:
    """CREATE STATISTICS; the next ANALYZE fills them."""
    found = {}
    for row in reader.rows(_STATISTICS, oids):
        # Not set is NULL from PostgreSQL 17 on, and -1 before.
        unset = row.target is None or row.target < 0
        after = () if unset else (f"ALTER STATISTICS {row.name} SET STATISTICS {row.target}",)
        found[row.oid] = Recipe((row.sql,), "STATISTICS", row.name, after)
    return found
