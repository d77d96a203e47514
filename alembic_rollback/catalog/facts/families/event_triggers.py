"""Event triggers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.families.fragments import Named, arm, at, differ, joined
from alembic_rollback.catalog.facts.families.rules import STATES
from alembic_rollback.catalog.facts.registry import Statements, kind, reads
from alembic_rollback.sql.names import quote_identifier, quote_literal

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

reads(
    "event triggers",
    arm(
        "'event trigger'",
        at(3466, "t.oid"),
        "quote_ident(t.evtname)",
        "quote_ident(t.evtname)",
        "jsonb_build_object('name', t.evtname, 'event', t.evtevent, 'tags', to_jsonb(t.evttags), "
        "'function', CAST(CAST(t.evtfoid AS regprocedure) AS text), "
        "'state', nullif(t.evtenabled, 'O'))",
        "FROM pg_event_trigger t WHERE t.oid >= 16384",
    ),
)


@kind
class EventTrigger(Named):
    """An event trigger, with the sessions in which it fires."""

    name, rank, noun = "event trigger", 99, "EVENT TRIGGER"

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE EVENT TRIGGER."""
        details = fact.details
        tags = ", ".join(map(quote_literal, details.get("tags") or ()))
        create = joined(
            f"CREATE EVENT TRIGGER {fact.name} ON {quote_identifier(details['event'])}",
            f"WHEN TAG IN ({tags})" if tags else "",
            f"EXECUTE FUNCTION {details['function']}",
        )
        return [create, *(_state(fact) if details.get("state") else ())]

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """ENABLE, DISABLE; anything else is made again."""
        return None if differ(old, new, ["state"]) else _state(new)


def _state(fact: Fact) -> list[str]:
    state = STATES.get(fact.details.get("state", "O"), "ENABLE")
    return [f"ALTER EVENT TRIGGER {fact.name} {state}"]
