"""What publications publish: tables and schemas."""

from __future__ import annotations

from collections.abc import Iterable

from alembic_rollback.catalog.definitions.model import Recipe
from alembic_rollback.catalog.definitions.reader import OIDS, Reader, Recipes, joined, relation

_TABLES = (
    f"SELECT r.oid, quote_ident(p.pubname) AS publication, {relation('r.prrelid')} AS name, "
    "%s FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid "
    f"WHERE r.oid = {OIDS}"
)
# Column lists and row filters are there from PostgreSQL 15 on.
_PARTS = (
    "pg_get_expr(r.prqual, r.prrelid) AS filter, "
    "(SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a "
    "WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs)) AS columns"
)
_NO_PARTS = "CAST(NULL AS text) AS filter, CAST(NULL AS text) AS columns"
_SCHEMAS = (
    "SELECT r.oid, quote_ident(p.pubname) AS publication, quote_ident(n.nspname) AS name "
    "FROM pg_publication_namespace r JOIN pg_publication p ON p.oid = r.pnpubid "
    f"JOIN pg_namespace n ON n.oid = r.pnnspid WHERE r.oid = {OIDS}"
)


def tables(reader: Reader, oids: Iterable[int]) -> Recipes:
    """ALTER PUBLICATION … ADD TABLE."""
    found = {}
    parts = _PARTS if reader.version >= 15 else _NO_PARTS
    for row in reader.rows(_TABLES % parts, oids):
        add = joined(
            f"ALTER PUBLICATION {row.publication} ADD TABLE ONLY {row.name}",
            f"({row.columns})" if row.columns else "",
            f"WHERE ({row.filter})" if row.filter else "",
        )
        found[row.oid] = Recipe((add,))
    return found


def schemas(reader: Reader, oids: Iterable[int]) -> Recipes:
    """ALTER PUBLICATION … ADD TABLES IN SCHEMA."""
    return {
        row.oid: Recipe((f"ALTER PUBLICATION {row.publication} ADD TABLES IN SCHEMA {row.name}",))
        for row in reader.rows(_SCHEMAS, oids)
    }
