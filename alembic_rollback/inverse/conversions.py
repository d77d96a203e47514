"""Values that ALTER COLUMN … TYPE … USING computes: casting them back doesn't give the old ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alembic_rollback.sql.build import enum_name, inner, kind_of, strings
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.names import quote_name


def computed(node: Any) -> Iterator[str]:
    """The missing fact for each column whose values a statement computes anew by USING."""
    if kind_of(node) != "AlterTableStmt":
        return
    for item in node.cmds:
        command = item.alter_table_cmd
        if enum_name(command, "subtype") != "AT_AlterColumnType":
            continue
        using = inner(getattr(command, "def").column_def.raw_default)  # a Python keyword
        if using is not None and not _is_cast(using, command.name):
            name = quote_name((*relation_name(node.relation), command.name))
            yield f"the values of column {name} before: what USING made of them can't be undone"


def _is_cast(expression: Any, column: str) -> bool:
    """The column itself, perhaps cast."""
    while kind_of(expression) == "TypeCast":
        expression = inner(expression.arg)
    return kind_of(expression) == "ColumnRef" and strings(expression.fields)[-1] == column
