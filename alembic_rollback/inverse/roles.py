"""Roles. They belong to the whole cluster, not to the database."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_rollback.inverse.making import made
from alembic_rollback.inverse.registry import Missing, Part, Step, inverts
from alembic_rollback.inverse.targets import named
from alembic_rollback.sql.build import role_text


@inverts("CreateRoleStmt")
def create_role(step: Step) -> Iterator[Part]:
    """CREATE ROLE, USER, GROUP → DROP ROLE."""
    yield made(step, named(step.world, "OBJECT_ROLE", (step.node.role,)))


@inverts("AlterRoleStmt")
def alter_role(step: Step) -> Iterator[Part]:
    """ALTER ROLE: its attributes before are not in the text."""
    role = step.node.role
    thing = step.world.find("role", (role.rolename,))
    yield from step.lost(thing, f"the attributes of role {role_text(role)} before")


@inverts("AlterRoleSetStmt")
def alter_role_setting(step: Step) -> Iterator[Part]:
    """ALTER ROLE … SET: the setting before is not in the text."""
    role = step.node.role
    name = role_text(role) if step.node.HasField("role") else "ALL"
    fact = f"the setting {step.node.setstmt.name or 'ALL'} of role {name} before, if it had one"
    yield from step.lost(step.world.find("role", (role.rolename,)), fact)


@inverts("AlterSystemStmt")
def alter_system(step: Step) -> Iterator[Part]:
    """ALTER SYSTEM: the value before is not in the text."""
    yield Missing(f"the value of {step.node.setstmt.name or 'every parameter'} before")
