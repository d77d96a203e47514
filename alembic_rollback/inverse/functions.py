"""Functions, procedures and code blocks."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_rollback.inverse.making import made, replaced
from alembic_rollback.inverse.registry import Missing, Part, Step, inverts
from alembic_rollback.inverse.targets import routine
from alembic_rollback.sql.build import arguments_text, enum_name, parameters_text, strings
from alembic_rollback.sql.names import quote_name


@inverts("CreateFunctionStmt")
def create_function(step: Step) -> Iterator[Part]:
    """CREATE FUNCTION f(a int) → DROP FUNCTION IF EXISTS f(int)."""
    node = step.node
    object_type = "OBJECT_PROCEDURE" if node.is_procedure else "OBJECT_FUNCTION"
    arguments = f"({parameters_text(node.parameters)})"
    found = routine(step.world, object_type, strings(node.funcname), arguments)
    if node.replace:
        yield from replaced(step, found)
    else:
        yield made(step, found)


@inverts("AlterFunctionStmt")
def alter_function(step: Step) -> Iterator[Part]:
    """ALTER FUNCTION: its properties before are not in the text."""
    node = step.node
    name, object_type = node.func, enum_name(node, "objtype")
    found = routine(step.world, object_type, strings(name.objname), arguments_text(name))
    yield from step.lost(found.thing, f"the properties of {found.shown} before")


@inverts("DoStmt")
def do(step: Step) -> Iterator[Part]:
    """DO: what a block does is known when it has run."""
    yield Missing("what the DO block changed: its text does not tell, only running it does")


@inverts("CallStmt")
def call(step: Step) -> Iterator[Part]:
    """CALL: what a procedure does is known when it has run."""
    name = quote_name(strings(step.node.funccall.funcname))
    yield Missing(f"what procedure {name} changed: its call does not tell, only running it does")
