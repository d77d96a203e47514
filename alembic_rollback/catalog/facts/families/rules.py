"""Rewrite rules other than the one that is a view's query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.families.fragments import Part, arm, at, part
from alembic_rollback.catalog.facts.families.naming import USER_SCHEMA
from alembic_rollback.catalog.facts.registry import Statements, kind, reads
from alembic_rollback.sql.canonical import same_definition
from alembic_rollback.sql.names import quote_identifier

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

STATES = {"D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}
"""ev_enabled, tgenabled and evtenabled where they are not as made."""

_KEY, _NAME, _SOURCE = part("pg_rewrite", "r", "r.ev_class", "r.rulename")

reads(
    "rules",
    arm(
        "'rule'",
        at(2618, "r.oid"),
        _KEY,
        _NAME,
        "jsonb_build_object('name', r.rulename, 'sql', pg_get_ruledef(r.oid), "
        "'table', CAST(CAST(r.ev_class AS regclass) AS text), "
        "'state', nullif(r.ev_enabled, 'O'))",
        f"{_SOURCE} WHERE r.oid >= 16384 AND r.rulename <> '_RETURN' AND {USER_SCHEMA} "
        "/*among r.ev_class*/",
        parent=at(1259, "r.ev_class"),
    ),
)


@kind
class Rule(Part):
    """A rule, with the sessions in which it works."""

    name, rank, noun = "rule", 75, "RULE"

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE RULE."""
        return [_sql(fact), *(_state(fact) if fact.details.get("state") else ())]

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """ENABLE, DISABLE; CREATE OR REPLACE, which makes a rule anew, but leaves its state."""
        found = []
        if not same_definition({"sql": old.details["sql"]}, {"sql": new.details["sql"]}):
            found.append("CREATE OR REPLACE " + _sql(new).removeprefix("CREATE "))
        differs = old.details.get("state") != new.details.get("state")
        return [*found, *(_state(new) if differs else ())]

    def equal(self, old: Fact, new: Fact) -> bool:
        """The definitions as PostgreSQL would print them again."""
        return same_definition(old.details, new.details)


def _sql(fact: Fact) -> str:
    return str(fact.details["sql"]).strip().removesuffix(";")


def _state(fact: Fact) -> list[str]:
    state = STATES.get(fact.details.get("state", "O"), "ENABLE")
    name = quote_identifier(fact.details["name"])
    return [f"ALTER TABLE {fact.details['table']} {state} RULE {name}"]
