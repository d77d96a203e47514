"""DROP: which objects a statement names, and what goes with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from alembic_rollback.checks.simulation.registry import follows
from alembic_rollback.checks.simulation.world import Change, Failure, World
from alembic_rollback.sql.build import (
    arguments_text,
    enum_name,
    inner,
    kind_of,
    type_name,
    type_text,
)
from alembic_rollback.sql.names import quote_name

if TYPE_CHECKING:
    from alembic_rollback.catalog.dependencies import Address

_RELATIONS = {
    "TABLE": "rp",
    "VIEW": "v",
    "MATVIEW": "m",
    "INDEX": "iI",
    "SEQUENCE": "S",
    "FOREIGN_TABLE": "f",
}
SPACES = {
    "ACCESS_METHOD": "access method",
    "COLLATION": "collation",
    "CONVERSION": "conversion",
    "DOMAIN": "type",
    "EVENT_TRIGGER": "event trigger",
    "EXTENSION": "extension",
    "FDW": "foreign data wrapper",
    "FOREIGN_SERVER": "server",
    "LANGUAGE": "language",
    "PUBLICATION": "publication",
    "SCHEMA": "schema",
    "STATISTIC_EXT": "statistics",
    "TSCONFIGURATION": "text search configuration",
    "TSDICTIONARY": "text search dictionary",
    "TSPARSER": "text search parser",
    "TSTEMPLATE": "text search template",
    "TYPE": "type",
}
ROUTINES = ("AGGREGATE", "FUNCTION", "PROCEDURE", "ROUTINE")
_PARTS = {"POLICY": "policy", "RULE": "rule", "TRIGGER": "trigger"}


@follows("DropStmt")
def drop(world: World, node: Any, change: Change) -> None:
    """DROP of anything but roles, databases and tablespaces."""
    what = enum_name(node, "remove_type").removeprefix("OBJECT_")
    if what not in (*_RELATIONS, *SPACES, *ROUTINES, *_PARTS):
        return  # casts, operators and the like: their users are not followed
    originals: list[Address] = []
    for item in node.objects:
        found = list(_named(world, what, inner(item), change))
        if not found and not node.missing_ok and not change.failures and not world.uncertain:
            change.failures.append(Failure(f"there is no {_words(what)} {shown(inner(item))}"))
        originals += found
    if originals and not change.failures:
        world.drop(change, dict.fromkeys(originals), cascade=is_cascade(node))


def missing(world: World, change: Change, name: tuple[str, ...]) -> None:
    """A relation that the statement needs isn't there, unless something unknown has made it."""
    if not world.uncertain:
        change.failures.append(Failure(f"there is no {quote_name(name)}"))


def is_cascade(node: Any) -> bool:
    """Whether a statement or command says CASCADE."""
    return enum_name(node, "behavior") == "DROP_CASCADE"


def name_of(node: Any) -> tuple[str, ...]:
    """A dotted name out of whatever node a statement keeps it in."""
    kind = kind_of(node)
    if kind == "String":
        return (str(node.sval),)
    if kind == "TypeName":
        return tuple(part.string.sval for part in node.names)
    if kind == "ObjectWithArgs":
        return tuple(part.string.sval for part in node.objname)
    return tuple(item.string.sval for item in node.items) if kind == "List" else ()


def shown(node: Any) -> str:
    """A dotted name as SQL."""
    return quote_name(name_of(node))


def routines(world: World, node: Any) -> list[Address]:
    """The routine that an ObjectWithArgs names; several where it gives no arguments."""
    every = world.names.all("routine", name_of(node))
    if not node.args_unspecified and arguments_text(node):
        wanted = signature(world, node)
        every = [found for found in every if found.detail == wanted]
    return [found.address for found in every]


def signature(world: World, node: Any) -> str:
    """A routine's argument types as pg_proc.proargtypes has them: `23 25`."""
    if node.objfuncargs:
        parameters = [item.function_parameter for item in node.objfuncargs]
        return parameters_signature(world, parameters)
    return " ".join(str(_type_oid(world, inner(item))) for item in node.objargs)


def parameters_signature(world: World, parameters: Any) -> str:
    """The same of FunctionParameters, of which the OUT and TABLE ones don't count."""
    modes = ("FUNC_PARAM_IN", "FUNC_PARAM_INOUT", "FUNC_PARAM_VARIADIC", "FUNC_PARAM_DEFAULT")
    types = [item.arg_type for item in parameters if enum_name(item, "mode") in modes]
    return " ".join(str(_type_oid(world, each)) for each in types)


def _type_oid(world: World, node: Any) -> int:
    if node is None:
        return 0
    name = () if node.array_bounds else type_name(node)
    address = world.type_address(type_text(node, modifier=False), name)
    return address.objid if address else 0


def _named(world: World, what: str, node: Any, change: Change) -> Iterator[Address]:
    if what in ROUTINES:
        every = routines(world, node)
        if node.args_unspecified and len(every) > 1 and not world.uncertain:
            change.failures.append(Failure(f"{shown(node)} means several"))
            return
        yield from every
        return
    name = name_of(node)
    if what in _PARTS:
        owner = world.relation(name[:-1])
        part = world.names.part(_PARTS[what], owner.address, name[-1]) if owner else None
        if part:
            yield part
        return
    found = world.names.find("relation" if what in _RELATIONS else SPACES[what], name)
    if found is None:
        return
    if what in _RELATIONS and found.detail not in _RELATIONS[what]:
        change.failures.append(Failure(f"{quote_name(name)} is no {_words(what)}"))
        return
    yield found.address


def _words(what: str) -> str:
    return {
        "FOREIGN_TABLE": "foreign table",
        "MATVIEW": "materialized view",
        "STATISTIC_EXT": "statistics object",
    }.get(what, what.replace("_", " ").lower())
