"""Schemas, public among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.families.fragments import Named, arm, at
from alembic_rollback.catalog.facts.families.naming import USER_SCHEMA
from alembic_rollback.catalog.facts.registry import Statements, kind, reads

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

# public is made by initdb, with an oid of its own.
reads(
    "schemas",
    arm(
        "'schema'",
        at(2615, "n.oid"),
        "quote_ident(n.nspname)",
        "quote_ident(n.nspname)",
        "jsonb_build_object('name', n.nspname)",
        f"FROM pg_namespace n WHERE (n.oid >= 16384 OR n.oid = 2200) AND {USER_SCHEMA}",
    ),
)


@kind
class Schema(Named):
    """A schema."""

    name, rank, noun = "schema", 5, "SCHEMA"

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE SCHEMA."""
        return [f"CREATE SCHEMA {fact.name}"]
