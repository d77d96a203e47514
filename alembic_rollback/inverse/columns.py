"""Columns: adding is undone; types, defaults and rows before are not in the text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from alembic_rollback.inverse.constraints import record
from alembic_rollback.inverse.mentions import younger_than
from alembic_rollback.inverse.registry import Missing, Part, alters
from alembic_rollback.sql.build import enum_name, strings
from alembic_rollback.sql.names import quote_identifier
from alembic_rollback.sql.naming import choose

if TYPE_CHECKING:
    from alembic_rollback.inverse.altering import Alteration
    from alembic_rollback.inverse.world import Name, Thing, World

_SERIALS = {f"{size}serial" for size in ("", "big", "small")} | {f"serial{n}" for n in (2, 4, 8)}


def record_column(
    world: World, table: Thing, relation: Name, definition: Any, column: Thing
) -> None:
    """Record what comes with a column: constraints, the sequence of a serial or identity."""
    schema, name = relation[:-1], definition.colname
    kinds = {enum_name(item.constraint, "contype") for item in definition.constraints}
    type_name = strings(definition.type_name.names)[-1:]
    if set(type_name) & _SERIALS or "CONSTR_IDENTITY" in kinds:
        sequence = choose(relation[-1], name, "seq", world.names("relation", schema))
        world.make("relation", (*schema, sequence), column)
    for item in definition.constraints:
        record(world, table, relation, item.constraint, name)


@alters("AT_AddColumn")
def add_column(alter: Alteration) -> Iterator[Part]:
    """ADD COLUMN → DROP COLUMN; its constraints and its sequence go with it."""
    definition, world = alter.definition.column_def, alter.world
    known = world.part(alter.table, "column", definition.colname)
    if alter.command.missing_ok and known.born is not None and not known.gone:
        return
    column = world.make_part(alter.table, "column", definition.colname)
    record_column(world, alter.table, alter.relation, definition, column)
    what = "ATTRIBUTE" if alter.words == "TYPE" else "COLUMN"
    exists = "IF EXISTS " if alter.command.missing_ok else ""
    cascade = " CASCADE" if alter.cascades else ""
    name = quote_identifier(definition.colname)
    yield alter.undo(f"DROP {what} {exists}{name}{cascade}", column, last=True)


@alters("AT_DropColumn")
def drop_column(alter: Alteration) -> Iterator[Part]:
    """DROP COLUMN: only one that the file added leaves nothing to undo."""
    if alter.words == "TYPE":
        fact = f"the type of attribute {alter.name}: DROP ATTRIBUTE does not keep it"
    else:
        fact = f"the type, default and rows of column {alter.name}: DROP COLUMN keeps none of them"
    yield from alter.dropped(alter.column, fact)


@alters("AT_AlterColumnType")
def alter_type(alter: Alteration) -> Iterator[Part]:
    """ALTER COLUMN TYPE: the type before is not in the text."""
    what = "attribute" if alter.words == "TYPE" else "column"
    fact = f"the type of {what} {alter.name} before, and what the conversion lost of its values"
    if alter.words == "TYPE":
        fact = f"the type of {what} {alter.name} before"
    if alter.column.new and younger_than(alter.world, alter.definition, alter.column):
        # The new type is dropped first in the down, and the column would still use it.
        yield Missing(fact)
    yield from alter.lost(alter.column, fact)


@alters("AT_ColumnDefault")
def default(alter: Alteration) -> Iterator[Part]:
    """SET and DROP DEFAULT: the default before is not in the text."""
    column = alter.column
    if column.new and younger_than(alter.world, alter.definition, column):
        # What the default uses is dropped before the column is, and must be free by then.
        yield alter.opposite(f"ALTER COLUMN {alter.name} DROP DEFAULT", column)
        return
    yield from alter.lost(column, f"the default of column {alter.name} before, if it had one")


@alters("AT_SetNotNull")
def set_not_null(alter: Alteration) -> Iterator[Part]:
    """SET NOT NULL → DROP NOT NULL, taking it that NULL was allowed before."""
    if not alter.column.new:
        yield alter.opposite(f"ALTER COLUMN {alter.name} DROP NOT NULL", alter.column)


@alters("AT_DropNotNull")
def drop_not_null(alter: Alteration) -> Iterator[Part]:
    """DROP NOT NULL: people write it of columns that allow NULL already; and from PostgreSQL 18 on
    the constraint has a name, another than SET NOT NULL gives where something was renamed.
    """
    fact = f"whether column {alter.name} was NOT NULL before, and what the constraint was called"
    yield from alter.lost(alter.column, fact)


@alters("AT_AddIdentity")
def add_identity(alter: Alteration) -> Iterator[Part]:
    """ADD GENERATED … AS IDENTITY → DROP IDENTITY."""
    if not alter.column.new:
        yield alter.opposite(f"ALTER COLUMN {alter.name} DROP IDENTITY", alter.column)


@alters("AT_DropIdentity")
def drop_identity(alter: Alteration) -> Iterator[Part]:
    """DROP IDENTITY: the sequence's options and value go."""
    fact = f"how the identity of column {alter.name} counted: DROP IDENTITY does not keep it"
    yield from alter.lost(alter.column, fact)


@alters("AT_SetIdentity")
def set_identity(alter: Alteration) -> Iterator[Part]:
    """SET GENERATED, RESTART and sequence options: those before are not in the text."""
    fact = f"how the identity of column {alter.name} counted before"
    yield from alter.lost(alter.column, fact)


_BEFORE = {
    "AT_DropExpression": "the expression that column {} was generated by",
    "AT_ResetOptions": "the options of column {} before",
    "AT_SetCompression": "the compression of column {} before",
    "AT_SetExpression": "the expression that column {} was generated by before",
    "AT_SetOptions": "the options of column {} before",
    "AT_SetStatistics": "the statistics target of column {} before",
    "AT_SetStorage": "the storage of column {} before",
    "AT_AlterColumnGenericOptions": "the options of column {} before",
}


@alters(*_BEFORE)
def setting(alter: Alteration) -> Iterator[Part]:
    """A setting of a column: the one before is not in the text."""
    # An index's columns have no names of their own there, only numbers.
    column = alter.name if alter.command.name else alter.command.num
    fact = _BEFORE[alter.subtype].format(column)
    yield from alter.lost(alter.column, fact)
