"""Row-level security policies, which PostgreSQL prints only in parts."""

from __future__ import annotations

from collections.abc import Iterable

from alembic_rollback.catalog.definitions.model import Recipe
from alembic_rollback.catalog.definitions.reader import OIDS, Reader, Recipes, joined, relation

_POLICIES = (
    f"SELECT oid, quote_ident(polname) || ' ON ' || {relation('polrelid')} AS name, "
    "polpermissive AS permissive, CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' "
    "WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END AS command, "
    "(SELECT string_agg(CASE role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(role)) "
    "END, ', ' ORDER BY place) FROM unnest(polroles) WITH ORDINALITY AS r (role, place)) AS roles, "
    "pg_get_expr(polqual, polrelid) AS usable, pg_get_expr(polwithcheck, polrelid) AS checked "
    f"FROM pg_policy WHERE oid = {OIDS}"
)


def policies(reader: Reader, oids: Iterable[int]) -> Recipes:
    """CREATE POLICY."""
    found = {}
    for row in reader.rows(_POLICIES, oids):
        create = joined(
            f"CREATE POLICY {row.name}",
            "" if row.permissive else "AS RESTRICTIVE",
            f"FOR {row.command} TO {row.roles}",
            f"USING ({row.usable})" if row.usable else "",
            f"WITH CHECK ({row.checked})" if row.checked else "",
        )
        found[row.oid] = Recipe((create,), "POLICY", row.name)
    return found
