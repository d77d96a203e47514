"""Subscriptions: seen, and switched, but not made: their connection is another server's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.families.fragments import Named, arm, at, differ
from alembic_rollback.catalog.facts.registry import NotRestorable, Statements, kind, reads
from alembic_rollback.sql.names import quote_identifier

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

# The string that it connects with is for superusers only, and may hold a password.
reads(
    "subscriptions",
    arm(
        "'subscription'",
        at(6100, "s.oid"),
        "quote_ident(s.subname)",
        "quote_ident(s.subname)",
        "jsonb_build_object('name', s.subname, 'enabled', s.subenabled, "
        "'publications', to_jsonb(s.subpublications), 'slot', s.subslotname, "
        "'binary', s.subbinary, 'streaming', s.substream, 'commit', s.subsynccommit)",
        "FROM pg_subscription s WHERE s.subdbid = "
        "(SELECT oid FROM pg_database WHERE datname = current_database())",
    ),
)


@kind
class Subscription(Named):
    """A subscription."""

    name, rank, noun = "subscription", 90, "SUBSCRIPTION"

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """Never."""
        raise NotRestorable(fact, "how it connects is not written in the catalog for everybody")

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """DROP SUBSCRIPTION, where no slot on another server has to go with it."""
        if fact.details.get("slot"):
            raise NotRestorable(fact, "its replication slot on the other server would go with it")
        return super().drop(fact, current)

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """ENABLE, DISABLE, SET PUBLICATION."""
        if differ(old, new, ["enabled", "publications"]):
            return None
        found, head = [], f"ALTER SUBSCRIPTION {new.name}"
        if old.details["publications"] != new.details["publications"]:
            listed = ", ".join(map(quote_identifier, new.details["publications"]))
            found.append(f"{head} SET PUBLICATION {listed} WITH (refresh = false)")
        if old.details["enabled"] != new.details["enabled"]:
            found.append(f"{head} {'ENABLE' if new.details['enabled'] else 'DISABLE'}")
        return found
