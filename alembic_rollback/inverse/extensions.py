"""Extensions and what belongs to them."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_rollback.inverse.making import made
from alembic_rollback.inverse.registry import Missing, Part, Step, Undo, inverts
from alembic_rollback.inverse.targets import named, target
from alembic_rollback.sql.build import enum_name, relation_text
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.names import quote_identifier

_ADD = 1
"""AlterExtensionContentsStmt.action: 1 adds, -1 drops."""


@inverts("CreateExtensionStmt")
def create_extension(step: Step) -> Iterator[Part]:
    """CREATE EXTENSION → DROP EXTENSION; not where it may have been there: others may use it."""
    thing = step.world.find("extension", (step.node.extname,))
    if step.node.if_not_exists and not thing.new:
        name = quote_identifier(step.node.extname)
        yield Missing(f"whether extension {name} was there before, which others may use")
        return
    yield made(step, named(step.world, "OBJECT_EXTENSION", (step.node.extname,)))


@inverts("AlterExtensionStmt")
def update_extension(step: Step) -> Iterator[Part]:
    """ALTER EXTENSION … UPDATE: the version before is not in the text."""
    fact = f"the version of extension {quote_identifier(step.node.extname)} before"
    yield from step.lost(step.world.find("extension", (step.node.extname,)), fact)


@inverts("AlterExtensionContentsStmt")
def extension_contents(step: Step) -> Iterator[Part]:
    """ADD ↔ DROP of a member."""
    node = step.node
    member = target(step.world, enum_name(node, "objtype"), node.object)
    name = quote_identifier(node.extname)
    if member is None:
        yield Missing(f"what was added to or taken from extension {name}")
        return
    verb = "DROP" if node.action == _ADD else "ADD"
    yield Undo(f"ALTER EXTENSION {name} {verb} {member.words} {member.text}", member.thing)


@inverts("AlterObjectDependsStmt")
def depends_on_extension(step: Step) -> Iterator[Part]:
    """DEPENDS ON EXTENSION ↔ NO DEPENDS ON EXTENSION."""
    node = step.node
    object_type = enum_name(node, "object_type")
    no = "" if node.remove else "NO "
    clause = f"{no}DEPENDS ON EXTENSION {quote_identifier(node.extname.sval)}"
    if object_type in ("OBJECT_INDEX", "OBJECT_MATVIEW"):
        found = named(step.world, object_type, relation_name(node.relation))
        yield Undo(f"ALTER {found.words} {relation_text(node.relation)} {clause}", found.thing)
        return
    other = target(step.world, object_type, node.object)
    if other is None:
        yield Missing("what came to depend on the extension")
    else:
        yield Undo(f"ALTER {other.words} {other.text} {clause}", other.thing)
