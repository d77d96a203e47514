"""Publications and subscriptions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alembic_rollback.inverse.making import made
from alembic_rollback.inverse.registry import Part, Step, Undo, inverts
from alembic_rollback.inverse.targets import named
from alembic_rollback.sql.build import enum_name, relation_text, strings
from alembic_rollback.sql.names import quote_identifier


@inverts("CreatePublicationStmt")
def create_publication(step: Step) -> Iterator[Part]:
    """CREATE PUBLICATION → DROP PUBLICATION."""
    yield made(step, named(step.world, "OBJECT_PUBLICATION", (step.node.pubname,)))


@inverts("AlterPublicationStmt")
def alter_publication(step: Step) -> Iterator[Part]:
    """ADD → DROP of the same members; those before DROP and SET are not in the text."""
    node = step.node
    found = named(step.world, "OBJECT_PUBLICATION", (node.pubname,))
    if enum_name(node, "action") == "AP_AddObjects" and node.pubobjects:
        members = ", ".join(_member(item.publication_obj_spec) for item in node.pubobjects)
        yield Undo(f"ALTER PUBLICATION {found.text} DROP {members}", found.thing)
    else:
        yield from step.lost(found.thing, f"the members and options of {found.shown} before")


def _member(member: Any) -> str:
    if member.HasField("pubtable"):
        return f"TABLE {relation_text(member.pubtable.relation)}"
    if enum_name(member, "pubobjtype") == "PUBLICATIONOBJ_TABLES_IN_CUR_SCHEMA":
        return "TABLES IN SCHEMA CURRENT_SCHEMA"
    return f"TABLES IN SCHEMA {quote_identifier(member.name)}"


@inverts("CreateSubscriptionStmt")
def create_subscription(step: Step) -> Iterator[Part]:
    """CREATE SUBSCRIPTION → DROP SUBSCRIPTION, which needs no transaction around it."""
    yield made(step, named(step.world, "OBJECT_SUBSCRIPTION", (step.node.subname,)))


@inverts("AlterSubscriptionStmt")
def alter_subscription(step: Step) -> Iterator[Part]:
    """ADD ↔ DROP PUBLICATION, ENABLE ↔ DISABLE; other settings before are not in the text."""
    node = step.node
    found = named(step.world, "OBJECT_SUBSCRIPTION", (node.subname,))
    kind = enum_name(node, "kind").removeprefix("ALTER_SUBSCRIPTION_")
    head = f"ALTER SUBSCRIPTION {found.text}"
    publications = ", ".join(quote_identifier(name) for name in strings(node.publication))
    if kind in ("ADD_PUBLICATION", "DROP_PUBLICATION"):
        verb = "DROP" if kind == "ADD_PUBLICATION" else "ADD"
        yield Undo(f"{head} {verb} PUBLICATION {publications}", found.thing)
    elif kind == "ENABLED":
        enabled = node.options[0].def_elem.arg.boolean.boolval
        yield Undo(f"{head} {'DISABLE' if enabled else 'ENABLE'}", found.thing)
    elif kind != "REFRESH":
        yield from step.lost(found.thing, f"the settings of {found.shown} before")
