"""ALTER TABLE, command by command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from alembic_rollback.catalog import objects
from alembic_rollback.catalog.dependencies import (
    PG_ATTRDEF,
    PG_CLASS,
    PG_CONSTRAINT,
    PG_POLICY,
    PG_PROC,
    PG_PUBLICATION_REL,
    PG_REWRITE,
    PG_STATISTIC_EXT,
    PG_TRIGGER,
    PG_TYPE,
    Address,
)
from alembic_rollback.catalog.objects import Found
from alembic_rollback.checks.simulation.dropping import is_cascade, missing
from alembic_rollback.checks.simulation.registry import ALTERATIONS, alters, follows
from alembic_rollback.checks.simulation.world import Change, Failure, World
from alembic_rollback.sql.build import enum_name, inner, kind_of, type_name, type_text
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.names import quote_name

_NOT_OF_THE_TABLE = ("AT_ColumnDefault",)
_IN_THE_WAY = {
    PG_ATTRDEF: "a generated column uses it: {}",
    PG_POLICY: "{} uses it",
    PG_PROC: "{} uses it",
    PG_PUBLICATION_REL: "{} uses it",
    PG_REWRITE: "{} uses it",
    PG_TRIGGER: "{} uses it",
}
"""What stops ALTER COLUMN TYPE (RememberAllDependentForRebuilding in tablecmds.c)."""


@follows("AlterTableStmt")
def alter(world: World, node: Any, change: Change) -> None:
    """ALTER TABLE, VIEW, INDEX, SEQUENCE, TYPE (of a composite) and so on."""
    name = relation_name(node.relation)
    relation = world.relation(name)
    if relation is None:
        if not node.missing_ok:
            missing(world, change, name)
        return
    for item in node.cmds:
        command = item.alter_table_cmd
        rule = ALTERATIONS.get(enum_name(command, "subtype"))
        if rule:
            rule(world, relation, command, change)
        else:
            change.changed.append(relation.address)


def definition(command: Any) -> Any:
    """The node that a command keeps under `def`, a word that Python has for itself."""
    return inner(getattr(command, "def"))


# Columns


@alters("AT_DropColumn")
def drop_column(world: World, relation: Found, command: Any, change: Change) -> None:
    """The column, and in tables that inherit it from this one alone."""
    column = world.names.column(relation.address, command.name)
    if column is None:
        _missing(world, command, change, f"column {quote_name((relation.name, command.name))}")
        return
    world.graph.read(world.connection, [column])
    if any(e.kind == "i" and e.referenced == column.whole for e in world.graph.uses(column)):
        change.failures.append(Failure("{} is part of the partition key", (column,)))
    elif command.name in _inherited(world, relation.address, "columns"):
        change.failures.append(Failure("{} is inherited", (column,)))
    else:
        heirs = _heirs(world, relation.address, command.name, "columns")
        columns = (world.names.column(heir, command.name) for heir in heirs)
        world.drop(change, [column, *filter(None, columns)], cascade=is_cascade(command))


@alters("AT_AddColumn")
def add_column(world: World, relation: Found, command: Any, change: Change) -> None:
    """A new column with its type, constraints and default."""
    column = definition(command)
    if column.colname in world.names.columns(relation.address):
        if not command.missing_ok:
            name = quote_name((relation.name, column.colname))
            change.failures.append(Failure(f"there is a column {name} already"))
        return
    define_column(world, relation, column, change)
    change.changed.append(relation.address)
    change.along |= dict.fromkeys(descendants(world, relation.address), relation.address)


def define_column(world: World, relation: Found, column: Any, change: Change) -> None:
    """A ColumnDef of CREATE TABLE or ADD COLUMN."""
    address = world.make_column(relation, column.colname)
    if column.HasField("type_name"):
        text = type_text(column.type_name, modifier=False)
        world.needs(address, world.type_address(text, type_name(column.type_name)))
    for item in column.constraints:
        add_constraint(world, relation, item.constraint, change)


@alters("AT_AlterColumnType")
def change_type(world: World, relation: Found, command: Any, change: Change) -> None:
    """Rebuilds what stands on the column, and fails on what cannot be rebuilt."""
    column = world.names.column(relation.address, command.name)
    if column is None:
        _missing(world, command, change, f"column {quote_name((relation.name, command.name))}")
        return
    change.changed.append(relation.address)
    world.graph.read(world.connection, [column])
    own = world.default_of(column)
    for edge in world.graph.users(column):
        user = edge.dependent
        if user.classid in _IN_THE_WAY and user != own:
            change.failures.append(Failure(_IN_THE_WAY[user.classid], (user,)))
        elif user.classid in (PG_CONSTRAINT, PG_STATISTIC_EXT, PG_CLASS):
            change.along[user] = column
            parts = (edge.dependent for edge in world.graph.users(user) if edge.kind == "i")
            change.along |= dict.fromkeys(parts, column)
    new = definition(command).type_name
    world.needs_no_more(column, PG_TYPE)
    text = type_text(new, modifier=False)
    world.needs(column, world.type_address(text, type_name(new)))


@alters("AT_ColumnDefault")
def set_default(world: World, relation: Found, command: Any, change: Change) -> None:
    """SET DEFAULT makes a new default, DROP DEFAULT none."""
    column = world.names.column(relation.address, command.name)
    if column is None:
        _missing(world, command, change, f"column {quote_name((relation.name, command.name))}")
        return
    change.changed.append(relation.address)
    default = definition(command)
    if default is None:
        _drop_quietly(world, world.default_of(column), change)
        return
    made = world.new_default(column)
    for user in used_by_expression(world, default):
        world.needs(made, user)


@alters("AT_DropExpression")
def drop_expression(world: World, relation: Found, command: Any, change: Change) -> None:
    """A generated column becomes an ordinary one."""
    column = world.names.column(relation.address, command.name)
    change.changed.append(relation.address)
    if column:
        expression = world.default_of(column)
        if expression:
            world.graph.read(world.connection, [expression])
            world.forget([expression])


@alters("AT_DropIdentity")
def drop_identity(world: World, relation: Found, command: Any, change: Change) -> None:
    """The sequence behind an identity column goes."""
    column = world.names.column(relation.address, command.name)
    change.changed.append(relation.address)
    if column is None:
        return
    world.graph.read(world.connection, [column])
    owned = [e for e in world.graph.users(column) if e.kind == "i" and e.dependent.objid > 0]
    for edge in owned:
        if edge.dependent.classid == PG_CLASS:
            world.graph.drop(edge)
            world.drop(change, [edge.dependent], cascade=False)


@alters("AT_DropNotNull")
def drop_not_null(world: World, relation: Found, command: Any, change: Change) -> None:
    """From PostgreSQL 18 on a constraint goes with it."""
    column = world.names.column(relation.address, command.name)
    change.changed.append(relation.address)
    if column and column.objid > 0 and column.objsubid < 10_000:
        _drop_quietly(world, objects.not_null_of(world.connection, column), change)


# Constraints


@alters("AT_DropConstraint")
def drop_constraint(world: World, relation: Found, command: Any, change: Change) -> None:
    """The constraint, and where it was inherited from here alone."""
    found = world.names.part("constraint", relation.address, command.name)
    if found is None:
        shown = f"constraint {quote_name((command.name,))} on {quote_name((relation.name,))}"
        _missing(world, command, change, shown)
        return
    if command.name in _inherited(world, relation.address, "constraints"):
        change.failures.append(Failure("{} is inherited", (found,)))
        return
    heirs = _heirs(world, relation.address, command.name, "constraints")
    parts = (world.names.part("constraint", heir, command.name) for heir in heirs)
    world.drop(change, [found, *filter(None, parts)], cascade=is_cascade(command))


@alters("AT_AddConstraint")
def add_table_constraint(world: World, relation: Found, command: Any, change: Change) -> None:
    """A new constraint of the table."""
    change.changed.append(relation.address)
    add_constraint(world, relation, definition(command), change)


def add_constraint(world: World, relation: Found, constraint: Any, change: Change) -> None:
    """A Constraint node; those without a name are made, but cannot be found by it."""
    kind = enum_name(constraint, "contype")
    if kind in ("CONSTR_DEFAULT", "CONSTR_GENERATED", "CONSTR_IDENTITY"):
        return
    if constraint.conname:
        address = world.make_part("constraint", relation, constraint.conname)
    else:
        address = world.names.new_address(PG_CONSTRAINT)
        world.needs(address, relation.address, "a")
    if kind == "CONSTR_FOREIGN":
        _refer(world, address, constraint, change)


def _refer(world: World, address: Address, constraint: Any, change: Change) -> None:
    """A foreign key needs the columns that it points at."""
    target = world.relation(relation_name(constraint.pktable))
    if target is None:
        missing(world, change, relation_name(constraint.pktable))
        return
    world.needs(address, target.address)
    for item in constraint.pk_attrs:
        world.needs(address, world.names.column(target.address, item.string.sval))


# Inheritance and partitions


@alters("AT_DetachPartition", "AT_DropInherit")
def leave(world: World, relation: Found, command: Any, change: Change) -> None:
    """DETACH PARTITION (of the parent), NO INHERIT (of the child)."""
    child, parent = _child_and_parent(world, relation, command, change)
    if child is None or parent is None:
        return
    change.changed.append(child)
    world.graph.read(world.connection, [child, parent])
    above = with_parts(world, parent)
    for part in with_parts(world, child):
        for edge in world.graph.uses(part):
            if edge.referenced.whole in above:
                if part.classid == PG_TRIGGER:
                    world.forget([part])
                    break
                world.graph.drop(edge)
    kept = [entry for entry in world.children(parent) if entry[0] != child]
    world.children(parent)[:] = kept


@alters("AT_AttachPartition", "AT_AddInherit")
def join(world: World, relation: Found, command: Any, change: Change) -> None:
    """ATTACH PARTITION (of the parent), INHERIT (of the child)."""
    child, parent = _child_and_parent(world, relation, command, change)
    if child is None or parent is None:
        return
    change.changed.append(child)
    partition = enum_name(command, "subtype") == "AT_AttachPartition"
    world.needs(child, parent, "a" if partition else "n")
    world.children(parent).append((child, partition))


def _child_and_parent(
    world: World, relation: Found, command: Any, change: Change
) -> tuple[Address | None, Address | None]:
    node = definition(command)
    detaching = kind_of(node) == "PartitionCmd"
    other = world.relation(relation_name(node.name if detaching else node))
    if other is None:
        missing(world, change, relation_name(node.name if detaching else node))
        return None, None
    if detaching:
        return other.address, relation.address
    return relation.address, other.address


def descendants(world: World, relation: Address) -> Iterator[Address]:
    """The tables that inherit from it, and those that inherit from them."""
    for child, _ in world.children(relation):
        if child not in world.names.gone:
            yield child
            yield from descendants(world, child)


def with_parts(world: World, table: Address) -> set[Address]:
    """A table with its indexes, constraints and triggers."""
    found, waiting = {table}, [table]
    while waiting:
        for edge in world.graph.users(waiting.pop()):
            if edge.kind in "ai" and edge.dependent.whole not in found:
                # A partition hangs on its parent in the same way.
                if (edge.dependent.whole, True) in world.children(table):
                    continue
                found.add(edge.dependent.whole)
                waiting.append(edge.dependent.whole)
    return found


def _inherited(world: World, relation: Address, what: str) -> dict[str, tuple[int, bool]]:
    if relation.objid < 0:
        return {}
    read = objects.inherited_columns if what == "columns" else objects.inherited_constraints
    return read(world.connection, relation)


def _heirs(world: World, relation: Address, name: str, what: str) -> Iterator[Address]:
    """Tables below that have a column or constraint from here and from nowhere else."""
    for child, _ in world.children(relation):
        count, local = _inherited(world, child, what).get(name, (0, True))
        if count == 1 and not local and child not in world.names.gone:
            yield child
            yield from _heirs(world, child, name, what)


# What several of them do


def used_by_expression(world: World, expression: Any) -> Iterable[Address]:
    """Sequences, routines and types that an expression names."""
    from alembic_rollback.sql.build import nodes, split_name, strings

    for node in nodes(expression):
        kind = kind_of(node)
        if kind == "A_Const" and node.WhichOneof("val") == "sval":
            name = split_name(node.sval.sval)
            found = world.relation(name) if name else None
            if found and found.detail == "S":
                yield found.address
        elif kind == "FuncCall":
            every = world.names.all("routine", strings(node.funcname))
            yield from (one.address for one in every if one.schema != "pg_catalog")
        elif kind == "TypeName":
            found = world.names.find("type", strings(node.names))
            if found and found.schema != "pg_catalog":
                yield found.address


def _drop_quietly(world: World, address: Address | None, change: Change) -> None:
    if address is not None:
        world.graph.read(world.connection, [address])
        world.drop(change, [address], cascade=False)


def _missing(world: World, command: Any, change: Change, words: str) -> None:
    if not command.missing_ok and not world.uncertain:
        change.failures.append(Failure(f"there is no {words}"))
