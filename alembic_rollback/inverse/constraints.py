"""Constraints of tables and domains: adding one is undone by its name, written or PostgreSQL's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from alembic_rollback.inverse.registry import Missing, Part, alters
from alembic_rollback.sql.build import enum_name, kind_of, nodes, strings
from alembic_rollback.sql.names import quote_identifier
from alembic_rollback.sql.naming import choose, index_addition, index_columns

if TYPE_CHECKING:
    from alembic_rollback.inverse.altering import Alteration
    from alembic_rollback.inverse.world import Name, Thing, World

_INDEXED = ("CONSTR_PRIMARY", "CONSTR_UNIQUE", "CONSTR_EXCLUSION")
_KINDS = (*_INDEXED, "CONSTR_CHECK", "CONSTR_FOREIGN")


def record(
    world: World, table: Thing, relation: Name, constraint: Any, column: str = ""
) -> Thing | None:
    """Record a constraint that is being added, under the name that it gets.

    column: the column that it is written with. None for NOT NULL, DEFAULT and their like.
    """
    kind = enum_name(constraint, "contype")
    if kind not in _KINDS:
        return None
    columns = _columns(kind, constraint, column)
    name = constraint.conname or constraint.indexname
    if not name:
        name = _default_name(world, relation, kind, constraint, columns)
    # Dropping one of its columns drops a constraint, except a CHECK over several.
    others = [world.part(table, "column", each) for each in columns]
    if kind == "CONSTR_CHECK" and len(others) > 1:
        others = []
    thing = world.make_part(table, "constraint", name, *others)
    if kind in _INDEXED and not constraint.indexname:
        world.make("relation", (*relation[:-1], name), thing)
    return thing


def _default_name(
    world: World, relation: Name, kind: str, constraint: Any, columns: list[str]
) -> str:
    schema, table = relation[:-1], relation[-1]
    taken = world.constraint_names(schema)
    if kind == "CONSTR_FOREIGN":
        return choose(table, index_addition(columns), "fkey", taken)
    if kind == "CONSTR_CHECK":
        return choose(table, columns[0] if len(columns) == 1 else "", "check", taken)
    taken |= world.names("relation", schema)
    if kind == "CONSTR_PRIMARY":
        return choose(table, "", "pkey", taken)
    including = list(strings(constraint.including))
    if kind == "CONSTR_UNIQUE":
        return choose(table, index_addition([*columns, *including]), "key", taken)
    elements = (item.list.items[0].index_elem for item in constraint.exclusions)
    return choose(table, index_addition([*index_columns(elements), *including]), "excl", taken)


def _columns(kind: str, constraint: Any, column: str) -> list[str]:
    if kind == "CONSTR_CHECK":
        return _checked_columns(constraint.raw_expr)
    if kind == "CONSTR_FOREIGN":
        return list(strings(constraint.fk_attrs)) or [column]
    if kind == "CONSTR_EXCLUSION":
        elements = (item.list.items[0].index_elem for item in constraint.exclusions)
        return [element.name for element in elements if element.name]
    return list(strings(constraint.keys)) or ([column] if column else [])


def _checked_columns(expression: Any) -> list[str]:
    """Each column that a CHECK reads, once."""
    found: list[str] = []
    for node in nodes(expression):
        if kind_of(node) == "ColumnRef" and node.fields[-1].WhichOneof("node") == "string":
            name = node.fields[-1].string.sval
            if name not in found:
                found.append(name)
    return found


@alters("AT_AddConstraint")
def add_constraint(alter: Alteration) -> Iterator[Part]:
    """ADD CONSTRAINT → DROP CONSTRAINT, which drops the index that it was made from."""
    constraint = alter.definition.constraint
    thing = record(alter.world, alter.table, alter.relation, constraint)
    if thing is None:
        yield from _add_not_null(alter, constraint)
        return
    if _is_nameless(constraint) and not alter.table.new:
        # Others of the table begin with that name, too: dropping the wrong one would be silent.
        yield Missing("the name of the CHECK: PostgreSQL has chosen it by those that are there")
        return
    drop = f"DROP CONSTRAINT {quote_identifier(thing.name[-1])}"
    if constraint.indexname:
        index = alter.world.find("relation", (*alter.relation[:-1], constraint.indexname))
        if not index.new:
            text = quote_identifier(constraint.indexname)
            yield Missing(f"the definition of index {text}: DROP CONSTRAINT drops it too")
            return
    yield alter.undo(drop, thing)


def _is_nameless(constraint: Any) -> bool:
    """A CHECK of no one column, without a name: `orders_check`, or `orders_check1`, …"""
    if constraint.conname or enum_name(constraint, "contype") != "CONSTR_CHECK":
        return False
    return len(_checked_columns(constraint.raw_expr)) != 1


def _add_not_null(alter: Alteration, constraint: Any) -> Iterator[Part]:
    """Since PostgreSQL 18, NOT NULL can be added by a name of its own."""
    column = strings(constraint.keys)[0] if constraint.keys else ""
    if not column:
        yield Missing("the name of the constraint: it is not known from the text")
        return
    name = constraint.conname or choose(
        alter.relation[-1], column, "not_null", alter.world.constraint_names(alter.relation[:-1])
    )
    thing = alter.world.make_part(
        alter.table, "constraint", name, alter.world.part(alter.table, "column", column)
    )
    yield alter.undo(f"DROP CONSTRAINT {quote_identifier(name)}", thing)


@alters("AT_ValidateConstraint")
def validate(alter: Alteration) -> Iterator[Part]:
    """VALIDATE CONSTRAINT is left as it is: it changes no row and no rule."""
    yield from ()


@alters("AT_DropConstraint")
def drop_constraint(alter: Alteration) -> Iterator[Part]:
    """DROP CONSTRAINT: only one that the file added leaves nothing to undo."""
    thing = alter.world.part(alter.table, "constraint", alter.command.name)
    yield from alter.dropped(
        thing, f"the definition of constraint {alter.name}: DROP CONSTRAINT does not keep it"
    )


@alters("AT_AlterConstraint")
def alter_constraint(alter: Alteration) -> Iterator[Part]:
    """ALTER CONSTRAINT: its deferrability before is not in the text."""
    name = alter.definition.atalter_constraint.conname
    thing = alter.world.part(alter.table, "constraint", name)
    fact = f"whether constraint {quote_identifier(name)} could be deferred before"
    yield from alter.lost(thing, f"{fact}: ALTER CONSTRAINT names only what follows")
