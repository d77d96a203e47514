"""Triggers and event triggers, with the sessions in which they fire."""

from __future__ import annotations

from collections.abc import Iterable

from alembic_rollback.catalog.definitions.model import PART, Recipe
from alembic_rollback.catalog.definitions.reader import OIDS, Reader, Recipes, joined, relation

STATES = {"D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}
"""tgenabled, ev_enabled and evtenabled where they are not as made."""

_TRIGGERS = (
    f"SELECT oid, quote_ident(tgname) || ' ON ' || {relation('tgrelid')} AS name, "
    "tgisinternal OR tgparentid <> 0 AS part, pg_get_triggerdef(oid) AS sql "
    f"FROM pg_trigger WHERE oid = {OIDS}"
)
# The state is set for the partitions too, so that one of theirs matters where it is another.
_STATES = (
    "WITH RECURSIVE tree (root, oid, tgrelid, tgname, state, inherited, level) AS ("
    "SELECT oid, oid, tgrelid, tgname, tgenabled, CAST('O' AS \"char\"), 0 FROM pg_trigger "
    f"WHERE oid = {OIDS} UNION ALL "
    "SELECT tree.root, t.oid, t.tgrelid, t.tgname, t.tgenabled, tree.state, tree.level + 1 "
    "FROM tree JOIN pg_trigger t ON t.tgparentid = tree.oid) "
    f"SELECT root, {relation('tgrelid')} AS owner, quote_ident(tgname) AS name, "
    "CAST(state AS text) AS state FROM tree WHERE state <> inherited ORDER BY root, level, oid"
)
_EVENT_TRIGGERS = (
    "SELECT oid, quote_ident(evtname) AS name, quote_ident(evtevent) AS event, "
    "(SELECT string_agg(quote_literal(tag), ', ' ORDER BY place) "
    "FROM unnest(evttags) WITH ORDINALITY AS t (tag, place)) AS tags, "
    "CAST(CAST(evtfoid AS regprocedure) AS text) AS function, "
    "CAST(evtenabled AS text) AS state "
    f"FROM pg_event_trigger WHERE oid = {OIDS}"
)


def triggers(reader: Reader, oids: Iterable[int]) -> Recipes:
    """CREATE TRIGGER; a foreign key's triggers and a partition's clones come with another."""
    listed = list(oids)
    states = reader.rows(_STATES, listed)
    found = {}
    for row in reader.rows(_TRIGGERS, listed):
        after = tuple(
            f"ALTER TABLE {one.owner} {STATES.get(one.state, 'ENABLE')} TRIGGER {one.name}"
            for one in states
            if one.root == row.oid
        )
        found[row.oid] = PART if row.part else Recipe((row.sql,), "TRIGGER", row.name, after)
    return found


def event_triggers(reader: Reader, oids: Iterable[int]) -> Recipes:
    """CREATE EVENT TRIGGER."""
    found = {}
    for row in reader.rows(_EVENT_TRIGGERS, oids):
        create = joined(
            f"CREATE EVENT TRIGGER {row.name} ON {row.event}",
            f"WHEN TAG IN ({row.tags})" if row.tags else "",
            f"EXECUTE FUNCTION {row.function}",
        )
        state = STATES.get(row.state)
        after = (f"ALTER EVENT TRIGGER {row.name} {state}",) if state else ()
        found[row.oid] = Recipe((create,), "EVENT TRIGGER", row.name, after)
    return found
