"""Partitions, inheritance and typed tables."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_rollback.inverse.altering import Alteration, end
from alembic_rollback.inverse.registry import Missing, Part, Undo, alters
from alembic_rollback.sql.build import relation_text
from alembic_rollback.sql.effects import relation_name


@alters("AT_AttachPartition")
def attach(alter: Alteration) -> Iterator[Part]:
    """ATTACH PARTITION → DETACH PARTITION. An index, once attached, cannot be detached."""
    partition = alter.definition.partition_cmd.name
    thing, text = alter.world.find("relation", relation_name(partition)), relation_text(partition)
    if alter.words != "INDEX":
        place = alter.world.make_part(alter.table, "partition", text, thing)
        yield alter.undo(f"DETACH PARTITION {text}", place)
    elif alter.table.new and thing.new:
        # PostgreSQL refuses to drop an attached index before the one that it is attached to.
        yield Undo(f"DROP INDEX IF EXISTS {relation_text(alter.step.node.relation)}", alter.table)
    else:
        yield Missing(f"a way to detach index {text}: PostgreSQL has none but to drop an index")


@alters("AT_DetachPartition", "AT_DetachPartitionFinalize")
def detach(alter: Alteration) -> Iterator[Part]:
    """DETACH PARTITION: the bounds are not in the text."""
    partition = alter.definition.partition_cmd.name
    text = relation_text(partition)
    place = alter.world.part(alter.table, "partition", text)
    place.owners = (alter.table, alter.world.find("relation", relation_name(partition)))
    fact = f"the bounds of partition {text}: DETACH PARTITION does not keep them"
    yield from end(alter.step, place, fact, cascade=False)


@alters("AT_AddInherit", "AT_DropInherit")
def inherit(alter: Alteration) -> Iterator[Part]:
    """INHERIT ↔ NO INHERIT."""
    no = "NO " if alter.subtype == "AT_AddInherit" else ""
    yield alter.opposite(f"{no}INHERIT {relation_text(alter.definition.range_var)}")


@alters("AT_AddOf")
def of_type(alter: Alteration) -> Iterator[Part]:
    """OF type → NOT OF."""
    yield alter.opposite("NOT OF")


@alters("AT_DropOf")
def not_of(alter: Alteration) -> Iterator[Part]:
    """NOT OF: the type is not in the text."""
    yield from alter.lost(alter.table, f"the type that {alter.shown} was of before")
