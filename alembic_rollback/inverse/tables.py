"""Tables: CREATE TABLE in all its forms, and SELECT … INTO."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from alembic_rollback.inverse.columns import record_column
from alembic_rollback.inverse.constraints import record
from alembic_rollback.inverse.registry import Part, Step, Undo, inverts
from alembic_rollback.inverse.targets import named
from alembic_rollback.sql.build import enum_name, inner, kind_of
from alembic_rollback.sql.effects import relation_name

if TYPE_CHECKING:
    from alembic_rollback.inverse.world import Name, Thing, World


@inverts("CreateStmt")
def create_table(step: Step) -> Iterator[Part]:
    """CREATE TABLE x → DROP TABLE IF EXISTS x CASCADE."""
    yield from _create(step, step.node, "OBJECT_TABLE")


@inverts("CreateForeignTableStmt")
def create_foreign_table(step: Step) -> Iterator[Part]:
    """CREATE FOREIGN TABLE x → DROP FOREIGN TABLE IF EXISTS x CASCADE."""
    yield from _create(step, step.node.base_stmt, "OBJECT_FOREIGN_TABLE")


def _create(step: Step, node: Any, object_type: str) -> Iterator[Part]:
    name = relation_name(node.relation)
    known = step.world.find("relation", name)
    if node.if_not_exists and known.new and not known.gone and not known.dropped:
        return
    table = record_relation(step.world, node.relation)
    record_elements(step.world, table, name, node.table_elts)
    yield Undo(f"{named(step.world, object_type, name).drop} CASCADE", table)


def record_relation(world: World, relation: Any) -> Thing:
    """Record a relation that is being made; a temporary one ends with the session."""
    temporary = relation.relpersistence == "t" or relation.schemaname == "pg_temp"
    return world.make("relation", relation_name(relation), temporary=temporary)


def record_elements(world: World, table: Thing, name: Name, elements: Any) -> None:
    """Record the columns and constraints that a CREATE TABLE writes."""
    for item in elements:
        node = inner(item)
        if kind_of(node) == "ColumnDef":
            column = world.part(table, "column", node.colname)
            record_column(world, table, name, node, column)
        elif kind_of(node) == "Constraint":
            record(world, table, name, node)


@inverts("CreateTableAsStmt")
def create_table_as(step: Step) -> Iterator[Part]:
    """CREATE TABLE … AS and CREATE MATERIALIZED VIEW."""
    node = step.node
    view = enum_name(node, "objtype") == "OBJECT_MATVIEW"
    target = named(step.world, enum_name(node, "objtype"), relation_name(node.into.rel))
    known = target.thing
    if node.if_not_exists and known.new and not known.gone and not known.dropped:
        return
    table = record_relation(step.world, node.into.rel)
    yield Undo(target.drop + ("" if view else " CASCADE"), table)


def select_into(step: Step, relation: Any) -> Iterator[Part]:
    """SELECT … INTO x → DROP TABLE IF EXISTS x CASCADE."""
    drop = named(step.world, "OBJECT_TABLE", relation_name(relation)).drop
    yield Undo(f"{drop} CASCADE", record_relation(step.world, relation))
