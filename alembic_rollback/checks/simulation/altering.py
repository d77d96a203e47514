"""ALTER TABLE, command by command."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from alembic_rollback.catalog import objects
from alembic_rollback.catalog.dependencies import (
    PG_ATTRDEF,
    PG_CLASS,
    PG_COLLATION,
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
from alembic_rollback.checks.simulation.constraining import add_constraint
from alembic_rollback.checks.simulation.dropping import is_cascade, missing
from alembic_rollback.checks.simulation.inheriting import (
    definition,
    descendants,
    heirs,
    let_go,
    taken_from,
)
from alembic_rollback.checks.simulation.registry import ALTERATIONS, alters, follows
from alembic_rollback.checks.simulation.world import Change, Failure, World
from alembic_rollback.sql.build import enum_name, kind_of, strings, type_name, type_text
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.names import quote_name

if TYPE_CHECKING:
    from alembic_rollback.catalog.objects import Found

_INTEGERS = (20, 21, 23)
"""The oids of the types that an identity column can have."""
_SERIAL = ("bigserial", "serial", "serial2", "serial4", "serial8", "smallserial")
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
    for command in sorted((item.alter_table_cmd for item in node.cmds), key=_pass):
        rule = ALTERATIONS.get(enum_name(command, "subtype"))
        if rule:
            rule(world, relation, command, change)
        else:
            change.changed.append(relation.address)


def _pass(command: Any) -> int:
    """When PostgreSQL carries it out, whatever the order in which they are written."""
    kind = enum_name(command, "subtype")
    if kind == "AT_ColumnDefault":
        return 0 if definition(command) is None else 3
    if kind == "AT_DropInherit":
        return 5
    if kind.startswith("AT_Drop"):
        return 0
    return {"AT_AlterColumnType": 1, "AT_AddColumn": 2, "AT_AddConstraint": 4}.get(kind, 5)


# Columns


@alters("AT_DropColumn")
def drop_column(world: World, relation: Found, command: Any, change: Change) -> None:
    """The column, and in tables that inherit it from this one alone."""
    column = _column(world, relation, command, change)
    if column is None:
        return
    if _is_fixed(world, relation, column, command.name, change):
        return
    below = taken_from(world, relation.address, command.name, "columns")
    columns = [world.names.column(heir, command.name) for heir in below if recurses(change)]
    gone = [column, *filter(None, columns)]
    if world.drop(change, gone, cascade=is_cascade(command)):
        let_go(world, relation.address, command.name, "columns")


def _is_fixed(world: World, relation: Found, column: Address, name: str, change: Change) -> bool:
    """Whether the column can neither go nor change its type, which is a failure."""
    world.graph.read(world.connection, [column])
    if any(e.kind == "i" and e.referenced == column.whole for e in world.graph.uses(column)):
        change.failures.append(Failure("{} is part of the partition key", (column,)))
        return True
    if name in world.inherited(relation.address, "columns"):
        change.failures.append(Failure("{} is inherited", (column,)))
        return True
    return False


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
    for child in dict.fromkeys(descendants(world, relation.address)):
        change.along[child] = relation.address


def define_column(world: World, relation: Found, column: Any, change: Change) -> None:
    """A ColumnDef of CREATE TABLE or ADD COLUMN."""
    address = world.make_column(relation, column.colname)
    if column.HasField("type_name"):
        text = type_text(column.type_name, modifier=False)
        world.needs(address, world.type_address(text, type_name(column.type_name)))
        _need_collation(world, address, column)
        if type_name(column.type_name)[-1] in _SERIAL:
            _make_sequence(world, relation, column.colname, "a")
            world.new_default(address)
    for item in column.constraints:
        constraint = item.constraint
        kind = enum_name(constraint, "contype")
        if kind == "CONSTR_IDENTITY":
            world.natures[address] = "identity"
            _make_sequence(world, relation, column.colname, "i")
        elif kind in ("CONSTR_DEFAULT", "CONSTR_GENERATED"):
            made = world.new_default(address)
            world.natures[address] = "generated" if kind == "CONSTR_GENERATED" else ""
            for user in used_by_expression(world, constraint.raw_expr):
                world.needs(made, user)
        else:
            add_constraint(world, relation, constraint, change, column.colname)


def _make_sequence(world: World, relation: Found, column: str, kind: str) -> None:
    from alembic_rollback.sql.naming import choose

    name = (relation.schema, choose(relation.name, column, "seq", set()))
    if relation.schema and world.relation(name) is None:
        made = world.make("relation", name, "S")
        world.needs(made.address, world.names.column(relation.address, column), kind)


@alters("AT_AlterColumnType")
def change_type(world: World, relation: Found, command: Any, change: Change) -> None:
    """Rebuilds what stands on the column, and fails on what cannot be rebuilt."""
    column = _column(world, relation, command, change)
    if column is None:
        return
    if _is_fixed(world, relation, column, command.name, change):
        return
    if world.nature(column) == "generated" and definition(command).HasField("raw_default"):
        change.failures.append(Failure("{} is generated and can have no USING", (column,)))
        return
    change.changed.append(relation.address)
    new = definition(command).type_name
    address = world.type_address(type_text(new, modifier=False), type_name(new))
    if world.nature(column) == "identity" and address and address.objid not in _INTEGERS:
        change.failures.append(Failure("{} is an identity column", (column,)))
        return
    below = dict.fromkeys(heirs(world, relation.address, command.name, "columns"))
    change.along |= dict.fromkeys(below, relation.address)
    every = (world.names.column(heir, command.name) for heir in below)
    for one in (column, *filter(None, every)):
        _rebuild(world, one, change)
        _keep_keys(world, one, address, change)
        world.needs_no_more(one, PG_TYPE)
        world.needs_no_more(one, PG_COLLATION)
        world.needs(one, address)
        _need_collation(world, one, definition(command))


def _need_collation(world: World, column: Address, node: Any) -> None:
    if node.HasField("coll_clause"):
        found = world.names.find("collation", strings(node.coll_clause.collname))
        if found and found.schema != "pg_catalog":
            world.needs(column, found.address)


def _rebuild(world: World, column: Address, change: Change) -> None:
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


def _keep_keys(world: World, column: Address, new: Address | None, change: Change) -> None:
    """Both ends of a foreign key must have types that can be compared."""
    if column.objid < 0 or new is None or new.objid < 0:
        return
    world.types[column] = new.objid
    for key, one, other in objects.key_types(world.connection, column):
        types = [world.types.get(end.column, end.type) for end in (one, other)]
        address = Address(PG_CONSTRAINT, key)
        if address not in world.names.gone and not objects.same_key(world.connection, *types):
            change.failures.append(Failure("{} cannot be of that type", (address,)))


@alters("AT_ColumnDefault")
def set_default(world: World, relation: Found, command: Any, change: Change) -> None:
    """SET DEFAULT makes a new default, DROP DEFAULT none, here and in the tables below."""
    column = _column(world, relation, command, change)
    if column is None:
        return
    if world.nature(column):
        if not world.uncertain:
            problem = "{} is an identity column" if world.nature(column) == "identity" else ""
            change.failures.append(Failure(problem or "{} is generated", (column,)))
        return
    below = descendants(world, relation.address) if recurses(change) else ()
    for table in (relation.address, *dict.fromkeys(below)):
        one = world.names.column(table, command.name)
        if one:
            _set_default(world, one, definition(command), change)
            if table != relation.address:
                change.along[table] = relation.address


def _set_default(world: World, column: Address, default: Any, change: Change) -> None:
    if default is None:
        old = world.default_of(column)
        if old:
            change.changed.append(column.whole)
            _drop_quietly(world, old, change)
        return
    change.changed.append(column.whole)
    made = world.new_default(column)
    for user in used_by_expression(world, default):
        world.needs(made, user)


@alters("AT_DropExpression")
def drop_expression(world: World, relation: Found, command: Any, change: Change) -> None:
    """A generated column becomes an ordinary one."""
    column = _column(world, relation, command, change)
    if column is None:
        return
    change.changed.append(relation.address)
    world.natures[column] = ""
    expression = world.default_of(column)
    if expression:
        world.graph.read(world.connection, [expression])
        world.forget([expression])


@alters("AT_DropIdentity")
def drop_identity(world: World, relation: Found, command: Any, change: Change) -> None:
    """The sequence behind an identity column goes."""
    column = _column(world, relation, command, change)
    if column is None:
        return
    if world.nature(column) != "identity":
        if not command.missing_ok and not world.uncertain:
            change.failures.append(Failure("{} is no identity column", (column,)))
        return
    change.changed.append(relation.address)
    world.natures[column] = ""
    world.graph.read(world.connection, [column])
    owned = [e for e in world.graph.users(column) if e.kind == "i"]
    for edge in owned:
        if edge.dependent.classid == PG_CLASS:
            world.graph.drop(edge)
            world.drop(change, [edge.dependent], cascade=False)


@alters("AT_AddIdentity")
def add_identity(world: World, relation: Found, command: Any, change: Change) -> None:
    """A sequence behind a column."""
    column = _column(world, relation, command, change)
    if column:
        change.changed.append(relation.address)
        world.natures[column] = "identity"
        _make_sequence(world, relation, command.name, "i")


@alters("AT_DropNotNull")
def drop_not_null(world: World, relation: Found, command: Any, change: Change) -> None:
    """From PostgreSQL 18 on a constraint goes with it."""
    column = world.names.column(relation.address, command.name)
    change.changed.append(relation.address)
    if column and column.objid > 0 and column.objsubid < 10_000:
        _drop_quietly(world, objects.not_null_of(world.connection, column), change)


# What several of them do


def used_by_expression(world: World, expression: Any) -> Iterable[Address]:
    """Sequences, routines and types that an expression names."""
    from alembic_rollback.sql.build import nodes, split_name

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


def _column(world: World, relation: Found, command: Any, change: Change) -> Address | None:
    """The column that a command names; without one it fails, or says IF EXISTS."""
    column = world.names.column(relation.address, command.name)
    known = relation.address not in world.vague and not world.uncertain
    if column is None and known and not _may_be_missing(command):
        shown = quote_name((relation.name, command.name))
        change.failures.append(Failure(f"there is no column {shown}"))
    return column


def _may_be_missing(command: Any) -> bool:
    """IF EXISTS of DROP COLUMN; that of DROP IDENTITY and EXPRESSION is about something else."""
    return bool(command.missing_ok) and enum_name(command, "subtype") == "AT_DropColumn"


def recurses(change: Change) -> bool:
    """Whether ALTER TABLE is without ONLY."""
    return bool(change.statement.node.relation.inh)
