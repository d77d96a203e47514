"""Parents of tables: inheritance and partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.registry import Kind, Statements, kind, reads

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

reads(
    "inheritance",
    """
    SELECT 1259, CAST(c.oid AS bigint), 0,
        CASE WHEN c.relispartition THEN 'partition' ELSE 'parent ' || h.inhparent END,
        CASE WHEN c.relispartition THEN 'partition' ELSE 'inheritance' END,
        format('%I.%I', n.nspname, c.relname)
            || CASE WHEN c.relispartition THEN '' ELSE format(' from %I.%I', m.nspname, p.relname)
            END,
        CAST(CAST(c.oid AS regclass) AS text),
        CAST(1259 AS bigint), CAST(c.oid AS bigint), 0,
        jsonb_build_object('parent', CAST(CAST(h.inhparent AS regclass) AS text),
            'place', CASE WHEN NOT c.relispartition THEN h.inhseqno END,
            'bound', pg_get_expr(c.relpartbound, c.oid))
    FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid AND c.relkind IN ('r', 'p', 'f')
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_class p ON p.oid = h.inhparent JOIN pg_namespace m ON m.oid = p.relnamespace
    WHERE (NOT h.inhdetachpending OR h.inhdetachpending IS NULL) /*among h.inhrelid*/
    ORDER BY h.inhrelid, h.inhseqno
    """,
)


@kind
class Partition(Kind):
    """That a table is a partition of another, and of which values."""

    name, rank = "partition", 68

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """ATTACH PARTITION."""
        details = fact.details
        return [f"ALTER TABLE {details['parent']} ATTACH PARTITION {fact.name} {details['bound']}"]

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """DETACH PARTITION."""
        return [f"ALTER TABLE {fact.details['parent']} DETACH PARTITION {fact.name}"]


@kind
class Inheritance(Kind):
    """That a table inherits from another."""

    name, rank = "inheritance", 68

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """INHERIT."""
        return [f"ALTER TABLE {fact.name} INHERIT {fact.details['parent']}"]

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """NO INHERIT."""
        return [f"ALTER TABLE {fact.name} NO INHERIT {fact.details['parent']}"]
