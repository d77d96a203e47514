"""Sequences."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_rollback.inverse.registry import Part, Step, Undo, inverts
from alembic_rollback.inverse.tables import record_relation
from alembic_rollback.inverse.targets import named
from alembic_rollback.sql.build import options
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.names import quote_name


@inverts("CreateSeqStmt")
def create_sequence(step: Step) -> Iterator[Part]:
    """CREATE SEQUENCE → DROP SEQUENCE."""
    node, world = step.node, step.world
    target = named(world, "OBJECT_SEQUENCE", relation_name(node.sequence))
    known = target.thing
    if node.if_not_exists and known.born is not None and not known.gone:
        return
    yield Undo(target.drop, record_relation(world, node.sequence))


@inverts("AlterSeqStmt")
def alter_sequence(step: Step) -> Iterator[Part]:
    """ALTER SEQUENCE: its options before are not in the text."""
    node = step.node
    name = relation_name(node.sequence)
    thing = step.world.find("relation", name)
    owner = options(node.options).get("owned_by")
    what = "options" if owner is None else "options and owning column"
    yield from step.lost(thing, f"the {what} of sequence {quote_name(name)} before")
