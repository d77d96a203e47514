"""Extended statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.families.fragments import Named, arm, at, visible
from alembic_rollback.catalog.facts.families.naming import USER_SCHEMA
from alembic_rollback.catalog.facts.registry import Statements, kind, reads
from alembic_rollback.sql.canonical import same_definition

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

# Not set is NULL from PostgreSQL 17 on, and -1 before.
reads(
    "statistics",
    arm(
        "'statistics'",
        at(3381, "s.oid"),
        "format('%I.%I', n.nspname, s.stxname)",
        visible("pg_statistics_obj_is_visible", "s.oid", "s.stxname"),
        "jsonb_build_object('name', s.stxname, 'schema', n.nspname, "
        "'sql', pg_get_statisticsobjdef(s.oid), "
        "'target', CASE WHEN s.stxstattarget >= 0 THEN s.stxstattarget END)",
        "FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace "
        f"WHERE s.oid >= 16384 AND {USER_SCHEMA}",
        parent=at(1259, "s.stxrelid"),
    ),
)


@kind
class Statistics(Named):
    """A statistics object; the next ANALYZE fills it."""

    name, rank, noun = "statistics", 70, "STATISTICS"

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE STATISTICS."""
        target = "target" in fact.details
        return [str(fact.details["sql"]), *([_target(fact)] if target else ())]

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """SET STATISTICS; another definition is made again."""
        same = same_definition({"sql": old.details["sql"]}, {"sql": new.details["sql"]})
        return [_target(new)] if same else None

    def equal(self, old: Fact, new: Fact) -> bool:
        """The definitions as PostgreSQL would print them again."""
        return same_definition(old.details, new.details)


def _target(fact: Fact) -> str:
    return f"ALTER STATISTICS {fact.name} SET STATISTICS {fact.details.get('target', -1)}"
