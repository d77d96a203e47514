"""Aggregates, operators, base types, collations, text search objects, casts and their like."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alembic_rollback.inverse.making import made, replaced
from alembic_rollback.inverse.registry import Missing, Part, Step, Undo, inverts
from alembic_rollback.inverse.targets import cast, named, operator, routine, transform, using
from alembic_rollback.sql.build import (
    enum_name,
    operand_text,
    operator_text,
    options,
    parameters_text,
    strings,
    type_text,
)
from alembic_rollback.sql.names import quote_identifier, quote_name


@inverts("DefineStmt")
def define(step: Step) -> Iterator[Part]:
    """CREATE AGGREGATE, OPERATOR, TYPE, COLLATION, TEXT SEARCH …, by what is defined."""
    kind = enum_name(step.node, "kind")
    rule = _DEFINITIONS.get(kind)
    if rule:
        yield from rule(step)
    else:
        yield made(step, named(step.world, kind, strings(step.node.defnames)))


def _aggregate(step: Step) -> Iterator[Part]:
    node = step.node
    if node.oldstyle:
        arguments = _old_arguments(options(node.definition))
    else:
        arguments = parameters_text(node.args[0].list.items)
    found = routine(step.world, "OBJECT_AGGREGATE", strings(node.defnames), f"({arguments})")
    if node.replace:
        yield from replaced(step, found)
    else:
        yield made(step, found)


def _old_arguments(given: dict[str, Any]) -> str:
    """Before 8.2 an aggregate had one argument, BASETYPE, and ANY (in quotes or not) was `*`."""
    base = given.get("basetype")
    if base is None or not hasattr(base, "names") or strings(base.names) == ("any",):
        return ""
    return type_text(base, modifier=False)


def _operator(step: Step) -> Iterator[Part]:
    given = options(step.node.definition)
    sides = [given.get(side) for side in ("leftarg", "rightarg")]
    operands = ", ".join("NONE" if side is None else type_text(side) for side in sides)
    yield made(step, operator(step.world, strings(step.node.defnames), f"({operands})"))


def _type(step: Step) -> Iterator[Part]:
    """A base type and its functions need each other: CASCADE takes them along."""
    node = step.node
    found = named(step.world, "OBJECT_TYPE", strings(node.defnames))
    if not node.definition:
        yield made(step, found)
    elif found.thing.new:
        # The shell's own drop follows, further down, when its functions are gone.
        yield Undo(f"{found.drop} CASCADE", found.thing)
    else:
        yield made(step, found, cascade=True)


_DEFINITIONS = {
    "OBJECT_AGGREGATE": _aggregate,
    "OBJECT_OPERATOR": _operator,
    "OBJECT_TYPE": _type,
}


@inverts("CreateOpClassStmt")
def create_operator_class(step: Step) -> Iterator[Part]:
    """CREATE OPERATOR CLASS → DROP, and of the family that it made where it names none."""
    node = step.node
    name = strings(node.opclassname)
    if not node.opfamilyname:
        family = using(step.world, "OBJECT_OPFAMILY", name, node.amname)
        if not family.thing.new:
            yield made(step, family)
    yield made(step, using(step.world, "OBJECT_OPCLASS", name, node.amname))


@inverts("CreateOpFamilyStmt")
def create_operator_family(step: Step) -> Iterator[Part]:
    """CREATE OPERATOR FAMILY → DROP OPERATOR FAMILY."""
    name = strings(step.node.opfamilyname)
    yield made(step, using(step.world, "OBJECT_OPFAMILY", name, step.node.amname))


@inverts("AlterOpFamilyStmt")
def alter_operator_family(step: Step) -> Iterator[Part]:
    """ADD → DROP by number and types; what DROP took is not in the text."""
    node = step.node
    family = using(step.world, "OBJECT_OPFAMILY", strings(node.opfamilyname), node.amname)
    if node.is_drop:
        yield from step.lost(family.thing, f"the dropped members of {family.shown}")
        return
    members = ", ".join(_member(item.create_op_class_item) for item in node.items)
    yield Undo(f"ALTER OPERATOR FAMILY {family.text} DROP {members}", family.thing)


def _member(item: Any) -> str:
    words = "OPERATOR" if item.itemtype == 1 else "FUNCTION"
    types = item.class_args or item.name.objargs
    return f"{words} {item.number} ({', '.join(operand_text(each) for each in types)})"


@inverts("AlterOperatorStmt")
def alter_operator(step: Step) -> Iterator[Part]:
    """ALTER OPERATOR … SET: its properties before are not in the text."""
    name = strings(step.node.opername.objname)
    yield Missing(f"the properties of operator {operator_text(name)} before")


@inverts("CreateCastStmt")
def create_cast(step: Step) -> Iterator[Part]:
    """CREATE CAST (a AS b) → DROP CAST (a AS b)."""
    yield made(step, cast(step.world, step.node.sourcetype, step.node.targettype))


@inverts("CreateTransformStmt")
def create_transform(step: Step) -> Iterator[Part]:
    """CREATE TRANSFORM → DROP TRANSFORM."""
    found = transform(step.world, step.node.type_name, step.node.lang)
    if step.node.replace:
        yield from replaced(step, found)
    else:
        yield made(step, found)


@inverts("CreatePLangStmt")
def create_language(step: Step) -> Iterator[Part]:
    """CREATE LANGUAGE → DROP LANGUAGE."""
    found = named(step.world, "OBJECT_LANGUAGE", (step.node.plname,))
    if step.node.replace:
        yield from replaced(step, found)
    else:
        yield made(step, found)


@inverts("CreateConversionStmt")
def create_conversion(step: Step) -> Iterator[Part]:
    """CREATE CONVERSION → DROP CONVERSION."""
    yield made(step, named(step.world, "OBJECT_CONVERSION", strings(step.node.conversion_name)))


@inverts("CreateAmStmt")
def create_access_method(step: Step) -> Iterator[Part]:
    """CREATE ACCESS METHOD → DROP ACCESS METHOD."""
    yield made(step, named(step.world, "OBJECT_ACCESS_METHOD", (step.node.amname,)))


@inverts("AlterCollationStmt")
def refresh_collation(step: Step) -> Iterator[Part]:
    """ALTER COLLATION … REFRESH VERSION: the recorded version before is not in the text."""
    name = quote_name(strings(step.node.collname))
    yield Missing(f"the version that collation {name} had recorded before")


@inverts("AlterStatsStmt")
def alter_statistics(step: Step) -> Iterator[Part]:
    """ALTER STATISTICS: the target before is not in the text."""
    name = strings(step.node.defnames)
    fact = f"the target of statistics {quote_name(name)} before"
    yield from step.lost(step.world.find("statistics", name), fact)


@inverts("AlterTSConfigurationStmt")
def alter_configuration(step: Step) -> Iterator[Part]:
    """ADD MAPPING → DROP MAPPING; the mapping before is not in the text."""
    node = step.node
    name = strings(node.cfgname)
    thing = step.world.find("text search configuration", name)
    tokens = ", ".join(quote_identifier(each) for each in strings(node.tokentype))
    if enum_name(node, "kind") == "ALTER_TSCONFIG_ADD_MAPPING":
        head = f"ALTER TEXT SEARCH CONFIGURATION {quote_name(name)}"
        yield Undo(f"{head} DROP MAPPING FOR {tokens}", thing)
        return
    fact = f"the mapping of text search configuration {quote_name(name)} before"
    yield from step.lost(thing, fact)


@inverts("AlterTSDictionaryStmt")
def alter_dictionary(step: Step) -> Iterator[Part]:
    """ALTER TEXT SEARCH DICTIONARY: its options before are not in the text."""
    name = strings(step.node.dictname)
    fact = f"the options of text search dictionary {quote_name(name)} before"
    yield from step.lost(step.world.find("text search dictionary", name), fact)
