"""Triggers, with the sessions in which they fire.

A partition has a clone of every row trigger of its parent. It is no fact, as it comes by itself,
unless it fires in other sessions than the one that it is cloned from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.families.fragments import Part, arm, at, part, union
from alembic_rollback.catalog.facts.families.naming import USER_SCHEMA, shortened
from alembic_rollback.catalog.facts.families.rules import STATES
from alembic_rollback.catalog.facts.registry import Kind, Statements, kind, reads
from alembic_rollback.sql.canonical import same_definition
from alembic_rollback.sql.names import quote_identifier

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

_KEY, _NAME, _SOURCE = part("pg_trigger", "t", "t.tgrelid", "t.tgname")
_TABLE = "'table', CAST(CAST(t.tgrelid AS regclass) AS text), 'name', t.tgname"

_TRIGGERS = arm(
    "'trigger'",
    at(2620, "t.oid"),
    _KEY,
    _NAME,
    f"jsonb_build_object({_TABLE}, 'sql', pg_get_triggerdef(t.oid), "
    "'state', nullif(t.tgenabled, 'O'), 'constraint', nullif(t.tgconstraint <> 0, false))",
    f"{_SOURCE} WHERE t.oid >= 16384 AND NOT t.tgisinternal AND t.tgparentid = 0 AND {USER_SCHEMA} "
    "/*among t.tgrelid*/",
    parent=at(1259, "t.tgrelid"),
)
# Before PostgreSQL 15 clones count as internal. So do a foreign key's triggers, which are built in.
_CLONES = arm(
    "'trigger state'",
    at(2620, "t.oid"),
    _KEY,
    _NAME,
    f"jsonb_build_object({_TABLE}, 'state', t.tgenabled, 'usual', above.tgenabled)",
    f"{_SOURCE} JOIN pg_trigger above ON above.oid = t.tgparentid "
    f"WHERE t.tgenabled <> above.tgenabled AND {USER_SCHEMA} "
    "AND NOT (t.tgisinternal AND t.tgconstraint <> 0 AND t.tgfoid < 16384) /*among t.tgrelid*/",
    parent=at(1259, "t.tgrelid"),
)
reads("triggers", union(_TRIGGERS, _CLONES))


def _set_state(fact: Fact, state: str) -> str:
    verb = STATES.get(state, "ENABLE")
    return f"ALTER TABLE {fact.details['table']} {verb} TRIGGER {_quoted(fact)}"


def _quoted(fact: Fact) -> str:
    return quote_identifier(fact.details["name"])


@kind
class Trigger(Part):
    """A trigger of a table or a view."""

    name, rank, noun = "trigger", 80, "TRIGGER"

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE TRIGGER."""
        state = fact.details.get("state")
        sql = shortened(fact.details["sql"], wanted.parent_of(fact))
        return [sql, *([_set_state(fact, state)] if state else ())]

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """ENABLE, DISABLE; CREATE OR REPLACE, which a constraint trigger doesn't know."""
        before, after = old.details.get("state", "O"), new.details.get("state", "O")
        found = []
        if not same_definition({"sql": old.details["sql"]}, {"sql": new.details["sql"]}):
            if old.details.get("constraint") or new.details.get("constraint"):
                return None
            sql = shortened(new.details["sql"], wanted.parent_of(new))
            found.append("CREATE OR REPLACE " + sql.removeprefix("CREATE "))
            before = "O"
        if before != after:
            # It reaches the partitions, whose own states have to be set again.
            found += [_set_state(new, after), *_states_of_clones(new, wanted)]
        return found

    def equal(self, old: Fact, new: Fact) -> bool:
        """The definitions as PostgreSQL would print them again."""
        return same_definition(old.details, new.details)


def _states_of_clones(trigger: Fact, wanted: Snapshot) -> list[str]:
    return [
        _set_state(one, one.details["state"])
        for one in wanted.facts.values()
        if one.kind == "trigger state" and one.details["name"] == trigger.details["name"]
    ]


@kind
class TriggerState(Kind):
    """That a partition's clone of a trigger fires in other sessions than what it is cloned from."""

    name, rank = "trigger state", 81

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """ENABLE, DISABLE."""
        return [_set_state(fact, fact.details["state"])]

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """As the trigger that it is cloned from."""
        return [_set_state(fact, fact.details["usual"])]

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """ENABLE, DISABLE."""
        return self.create(new, wanted)
