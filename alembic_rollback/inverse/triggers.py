"""Triggers, event triggers and rules."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_rollback.inverse.making import made, made_part, replaced
from alembic_rollback.inverse.registry import Missing, Part, Step, Undo, inverts
from alembic_rollback.inverse.targets import named, on_relation
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.names import quote_identifier


@inverts("CreateTrigStmt")
def create_trigger(step: Step) -> Iterator[Part]:
    """CREATE TRIGGER x ON y → DROP TRIGGER IF EXISTS x ON y."""
    node = step.node
    target = on_relation(step.world, "OBJECT_TRIGGER", relation_name(node.relation), node.trigname)
    if node.replace:
        yield from replaced(step, target)
    else:
        yield made_part(step, target)


@inverts("RuleStmt")
def create_rule(step: Step) -> Iterator[Part]:
    """CREATE RULE x ON y → DROP RULE IF EXISTS x ON y."""
    node = step.node
    target = on_relation(step.world, "OBJECT_RULE", relation_name(node.relation), node.rulename)
    if node.replace:
        yield from replaced(step, target)
    else:
        yield made_part(step, target)


@inverts("CreateEventTrigStmt")
def create_event_trigger(step: Step) -> Iterator[Part]:
    """CREATE EVENT TRIGGER x → DROP EVENT TRIGGER IF EXISTS x."""
    yield made(step, named(step.world, "OBJECT_EVENT_TRIGGER", (step.node.trigname,)))


@inverts("AlterEventTrigStmt")
def alter_event_trigger(step: Step) -> Iterator[Part]:
    """ENABLE ↔ DISABLE; what stood before REPLICA or ALWAYS is not in the text."""
    name = quote_identifier(step.node.trigname)
    thing = step.world.find("event trigger", (step.node.trigname,))
    opposite = {"O": "DISABLE", "D": "ENABLE"}.get(step.node.tgenabled)
    if opposite:
        yield Undo(f"ALTER EVENT TRIGGER {name} {opposite}", thing)
    elif not thing.new:
        yield Missing(f"whether event trigger {name} was enabled before, and how")
