"""Schemas, with what a CREATE SCHEMA makes inside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alembic_rollback.inverse.making import made
from alembic_rollback.inverse.registry import Missing, Part, Step, inverts
from alembic_rollback.inverse.tables import record_elements, record_relation
from alembic_rollback.inverse.targets import named
from alembic_rollback.sql.build import inner, kind_of
from alembic_rollback.sql.effects import relation_name

# Where each element of a CREATE SCHEMA holds the relation that it makes.
_ELEMENTS = {
    "CreateSeqStmt": "sequence",
    "CreateStmt": "relation",
    "ViewStmt": "view",
}


@inverts("CreateSchemaStmt")
def create_schema(step: Step) -> Iterator[Part]:
    """CREATE SCHEMA s → DROP SCHEMA IF EXISTS s; with elements, CASCADE drops them too."""
    node = step.node
    name = node.schemaname or node.authrole.rolename
    if not name:
        yield Missing("the name of the schema: it is that of the role that ran CREATE SCHEMA")
        return
    if node.if_not_exists and name == "public":
        yield Missing("whether it made the schema public: every new database has one")
        return
    known = step.world.find("schema", (name,))
    if node.if_not_exists and known.born is not None and not known.gone:
        return
    target = named(step.world, "OBJECT_SCHEMA", (name,))
    yield made(step, target, cascade=bool(node.schema_elts))
    for item in node.schema_elts:
        _record(step, inner(item), name)


def _record(step: Step, element: Any, schema: str) -> None:
    """What is made inside goes with the schema; it is recorded, and has no DROP of its own."""
    field = _ELEMENTS.get(kind_of(element))
    if field:
        relation = type(getattr(element, field))()
        relation.CopyFrom(getattr(element, field))
        relation.schemaname = schema
        thing = record_relation(step.world, relation)
        elements = getattr(element, "table_elts", ())
        record_elements(step.world, thing, relation_name(relation), elements)
