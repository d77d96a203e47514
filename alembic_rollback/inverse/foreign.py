"""Foreign data: wrappers, servers, user mappings, imported schemas."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_rollback.inverse.making import made
from alembic_rollback.inverse.registry import Missing, Part, Step, Undo, inverts
from alembic_rollback.inverse.targets import Target, named
from alembic_rollback.sql.build import enum_name, role_text
from alembic_rollback.sql.names import quote_identifier


@inverts("CreateFdwStmt")
def create_wrapper(step: Step) -> Iterator[Part]:
    """CREATE FOREIGN DATA WRAPPER → DROP."""
    yield made(step, named(step.world, "OBJECT_FDW", (step.node.fdwname,)))


@inverts("CreateForeignServerStmt")
def create_server(step: Step) -> Iterator[Part]:
    """CREATE SERVER → DROP SERVER."""
    yield made(step, named(step.world, "OBJECT_FOREIGN_SERVER", (step.node.servername,)))


@inverts("CreateUserMappingStmt")
def create_user_mapping(step: Step) -> Iterator[Part]:
    """CREATE USER MAPPING FOR r SERVER s → DROP USER MAPPING."""
    yield made(step, _mapping(step))


def _mapping(step: Step) -> Target:
    node = step.node
    text = f"FOR {role_text(node.user)} SERVER {quote_identifier(node.servername)}"
    return Target("USER MAPPING", text, step.world.find("user mapping", (text,)))


@inverts("AlterFdwStmt")
def alter_wrapper(step: Step) -> Iterator[Part]:
    """ALTER FOREIGN DATA WRAPPER: its options before are not in the text."""
    found = named(step.world, "OBJECT_FDW", (step.node.fdwname,))
    yield from step.lost(found.thing, f"the options of {found.shown} before")


@inverts("AlterForeignServerStmt")
def alter_server(step: Step) -> Iterator[Part]:
    """ALTER SERVER: its options before are not in the text."""
    found = named(step.world, "OBJECT_FOREIGN_SERVER", (step.node.servername,))
    yield from step.lost(found.thing, f"the options of {found.shown} before")


@inverts("AlterUserMappingStmt")
def alter_user_mapping(step: Step) -> Iterator[Part]:
    """ALTER USER MAPPING: its options before are not in the text."""
    found = _mapping(step)
    yield from step.lost(found.thing, f"the options of user mapping {found.text} before")


@inverts("ImportForeignSchemaStmt")
def import_schema(step: Step) -> Iterator[Part]:
    """IMPORT FOREIGN SCHEMA: undone where LIMIT TO names the tables."""
    node = step.node
    if enum_name(node, "list_type") != "FDW_IMPORT_SCHEMA_LIMIT_TO":
        schema = quote_identifier(node.local_schema)
        yield Missing(f"which foreign tables came into schema {schema}: the text doesn't name them")
        return
    for item in node.table_list:
        name = (node.local_schema, item.range_var.relname)
        found = named(step.world, "OBJECT_FOREIGN_TABLE", name)
        yield Undo(found.drop, step.world.make("relation", name))
