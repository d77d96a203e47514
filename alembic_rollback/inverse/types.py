"""Types and domains."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_rollback.inverse.altering import end
from alembic_rollback.inverse.making import made
from alembic_rollback.inverse.registry import Part, Step, Undo, inverts
from alembic_rollback.inverse.targets import named
from alembic_rollback.sql.build import inner, strings
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.names import quote_identifier, quote_literal, quote_name
from alembic_rollback.sql.naming import choose


@inverts("CreateEnumStmt", "CreateRangeStmt")
def create_type(step: Step) -> Iterator[Part]:
    """CREATE TYPE … AS ENUM, AS RANGE → DROP TYPE."""
    yield made(step, named(step.world, "OBJECT_TYPE", strings(step.node.type_name)))


@inverts("CompositeTypeStmt")
def create_composite(step: Step) -> Iterator[Part]:
    """CREATE TYPE … AS (…) → DROP TYPE."""
    yield made(step, named(step.world, "OBJECT_TYPE", relation_name(step.node.typevar)))


@inverts("AlterEnumStmt")
def alter_enum(step: Step) -> Iterator[Part]:
    """RENAME VALUE is turned round; ADD VALUE is for good."""
    node = step.node
    name = strings(node.type_name)
    thing, text = step.world.find("type", name), quote_name(name)
    if node.old_val:
        old, new = quote_literal(node.old_val), quote_literal(node.new_val)
        yield Undo(f"ALTER TYPE {text} RENAME VALUE {new} TO {old}", thing)
        return
    value = quote_literal(node.new_val)
    fact = f"a way to remove value {value} from type {text}: PostgreSQL has none, "
    yield from step.lost(thing, f"{fact}and which rows hold it is not in the text")


@inverts("AlterTypeStmt")
def alter_type(step: Step) -> Iterator[Part]:
    """ALTER TYPE … SET: the properties before are not in the text."""
    name = strings(step.node.type_name)
    fact = f"the properties of type {quote_name(name)} before"
    yield from step.lost(step.world.find("type", name), fact)


@inverts("CreateDomainStmt")
def create_domain(step: Step) -> Iterator[Part]:
    """CREATE DOMAIN → DROP DOMAIN."""
    yield made(step, named(step.world, "OBJECT_DOMAIN", strings(step.node.domainname)))


@inverts("AlterDomainStmt")
def alter_domain(step: Step) -> Iterator[Part]:
    """ALTER DOMAIN, by its subtype: what adds is undone, what was before is not in the text."""
    yield from _DOMAIN[step.node.subtype](step)


def _add_constraint(step: Step) -> Iterator[Part]:
    name = strings(step.node.type_name)
    domain = step.world.find("type", name)
    constraint = inner(getattr(step.node, "def"))  # a Python keyword
    taken = {each for kind, each in domain.parts if kind == "constraint"}
    label = "not_null" if constraint.keys else "check"
    chosen = constraint.conname or choose(name[-1], "", label, taken)
    thing = step.world.make_part(domain, "constraint", chosen)
    clause = f"DROP CONSTRAINT {quote_identifier(chosen)}"
    yield Undo(f"ALTER DOMAIN {quote_name(name)} {clause}", thing)


def _set_not_null(step: Step) -> Iterator[Part]:
    name = strings(step.node.type_name)
    yield Undo(f"ALTER DOMAIN {quote_name(name)} DROP NOT NULL", step.world.find("type", name))


def _drop_constraint(step: Step) -> Iterator[Part]:
    domain = step.world.find("type", strings(step.node.type_name))
    fact = f"the definition of constraint {quote_identifier(step.node.name)}"
    thing = step.world.part(domain, "constraint", step.node.name)
    yield from end(step, thing, f"{fact}: DROP CONSTRAINT does not keep it", cascade=False)


def _default(step: Step) -> Iterator[Part]:
    name = strings(step.node.type_name)
    fact = f"the default of domain {quote_name(name)} before, if it had one"
    yield from step.lost(step.world.find("type", name), fact)


def _drop_not_null(step: Step) -> Iterator[Part]:
    name = strings(step.node.type_name)
    fact = f"whether domain {quote_name(name)} was NOT NULL before, and what to put for NULL now"
    yield from step.lost(step.world.find("type", name), fact)


def _nothing(step: Step) -> Iterator[Part]:
    yield from ()


_DOMAIN = {
    "C": _add_constraint,
    "N": _drop_not_null,
    "O": _set_not_null,
    "T": _default,
    "V": _nothing,
    "X": _drop_constraint,
}
