"""Row level security policies."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_rollback.inverse.making import made_part
from alembic_rollback.inverse.registry import Part, Step, inverts
from alembic_rollback.inverse.targets import on_relation
from alembic_rollback.sql.effects import relation_name


@inverts("CreatePolicyStmt")
def create_policy(step: Step) -> Iterator[Part]:
    """CREATE POLICY x ON y → DROP POLICY IF EXISTS x ON y."""
    node = step.node
    relation = relation_name(node.table)
    yield made_part(step, on_relation(step.world, "OBJECT_POLICY", relation, node.policy_name))


@inverts("AlterPolicyStmt")
def alter_policy(step: Step) -> Iterator[Part]:
    """ALTER POLICY: its roles and conditions before are not in the text."""
    node = step.node
    target = on_relation(step.world, "OBJECT_POLICY", relation_name(node.table), node.policy_name)
    yield from step.lost(target.thing, f"the roles and conditions of {target.shown} before")
