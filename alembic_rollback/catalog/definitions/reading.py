"""Addresses → definitions, in an order in which they can be made again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from alembic_rollback.catalog.definitions import (
    columns,
    comments,
    constraints,
    extensions,
    operators,
    ordering,
    policies,
    privileges,
    publications,
    relations,
    routines,
    rules,
    statistics,
    triggers,
    types,
)
from alembic_rollback.catalog.definitions.model import PART, Address, Definition, Recipe, lost
from alembic_rollback.catalog.definitions.reader import GIVEN, Reader, Recipes, dumping

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

SETTINGS = ("SET LOCAL check_function_bodies = off",)
"""What to run before the statements: a function's body may name what comes after it."""

_Maker: TypeAlias = Callable[[Reader, Iterable[int]], Recipes]

_MAKERS: Mapping[str, _Maker] = {
    "pg_attrdef": columns.defaults,
    "pg_cast": operators.casts,
    "pg_class": relations.relations,
    "pg_constraint": constraints.constraints,
    "pg_event_trigger": triggers.event_triggers,
    "pg_operator": operators.operators,
    "pg_policy": policies.policies,
    "pg_proc": routines.routines,
    "pg_publication_namespace": publications.schemas,
    "pg_publication_rel": publications.tables,
    "pg_rewrite": rules.rules,
    "pg_statistic_ext": statistics.statistics,
    "pg_trigger": triggers.triggers,
    "pg_type": types.types,
}

_EXTENSION = (
    "SELECT quote_ident(extname) FROM pg_extension JOIN pg_depend d ON d.refobjid = "
    "pg_extension.oid WHERE d.classid = given.classid AND d.objid = given.objid "
    "AND d.refclassid = CAST('pg_extension' AS regclass) AND d.deptype = 'e'"
)
# Made together with another: a view's rule, a range's functions, a table's TOAST. An expression is
# internal to its generated column, but what becomes of it is worth saying.
_PART = (
    "SELECT FROM pg_depend d WHERE d.classid = given.classid AND d.objid = given.objid "
    "AND d.objsubid = 0 AND given.objsubid = 0 AND d.deptype = 'i' "
    "AND d.classid <> CAST('pg_attrdef' AS regclass)"
)
_IDENTIFY = (
    "SELECT given.classid, given.objid, given.objsubid, "
    "CAST(CAST(given.classid AS regclass) AS text) AS catalog, "
    "one.type AS kind, one.identity AS name, one.schema AS schema, "
    f"({_EXTENSION}) AS extension, "
    f"EXISTS ({_PART}) OR coalesce(one.schema LIKE 'pg_toast%', false) AS part "
    f"FROM {GIVEN} "
    "CROSS JOIN LATERAL pg_identify_object(given.classid, given.objid, given.objsubid) one"
)


def definitions(connection: Connection, addresses: Iterable[Address]) -> tuple[Definition, ...]:
    """How to make the objects again: their statements in order, once what they need is there.

    An object that another brings along (a view's rule, a foreign key's triggers, what a partition
    has from its parent) has no definition of its own. Reads only. The statements are to be run
    after SETTINGS, by the role that ran this: an owner is named where it is another.
    """
    reader = Reader(connection, addresses)
    if not reader.given:
        return ()
    with dumping(connection):
        found = {(row[0], row[1], row[2]): row for row in reader.addressed(_IDENTIFY)}
        recipes = _recipes(reader, found)
        statements = _statements(reader, recipes)
        order = ordering.ordered(reader, {one: row.kind or "" for one, row in found.items()})
    return tuple(
        Definition(
            address,
            found[address].kind or found[address].catalog,
            found[address].name or "",
            statements.get(address, ()),
            recipes[address].missing,
        )
        for address in order
        if recipes[address] is not PART
    )


def _recipes(reader: Reader, found: Mapping[Address, Any]) -> dict[Address, Recipe]:
    recipes: dict[Address, Recipe] = {}
    wanted: dict[str, list[Address]] = defaultdict(list)
    for address, row in found.items():
        if refusal := _refusal(address, row):
            recipes[address] = lost(refusal)
        elif row.part:
            recipes[address] = PART
        elif row.catalog in _MAKERS:
            wanted[row.catalog].append(address)
        else:
            recipes[address] = _unknown(row)
    for catalog, listed in wanted.items():
        made = _MAKERS[catalog](reader, [address[1] for address in listed])
        for address in listed:
            recipes[address] = made.get(address[1]) or _unknown(found[address])
    return recipes


def _refusal(address: Address, row: Any) -> str:
    """Why an object cannot be made again, whatever its kind."""
    if row.name is None:
        return "it is not there"
    if (row.schema or "").startswith("pg_temp"):
        return "it is temporary: it goes with its session"
    if row.extension:
        return f"it belongs to extension {row.extension}, which makes it"
    if address[2]:
        return "its values are lost; restore them from a backup"
    return ""


def _unknown(row: Any) -> Recipe:
    return lost(f"no definition is known for {row.kind}")


def _statements(
    reader: Reader, recipes: Mapping[Address, Recipe]
) -> dict[Address, tuple[str, ...]]:
    """Each recipe together with its owner, its privileges and its comment."""
    made = {address: recipe for address, recipe in recipes.items() if recipe.create}
    owners = privileges.owners(reader, made)
    grants = privileges.grants(reader, made)
    remarks = comments.comments(reader, made)
    ties = extensions.dependencies(reader, made)
    return {
        one: (
            *recipe.create,
            *owners.get(one, ()),
            *grants.get(one, ()),
            *remarks.get(one, ()),
            *recipe.after,
            *ties.get(one, ()),
        )
        for one, recipe in made.items()
    }
