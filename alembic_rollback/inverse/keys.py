"""INSERT of literal rows → DELETE by their key, where the state of the database tells the key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alembic_rollback.sql.build import expression_text, kind_of, relation_text
from alembic_rollback.sql.names import quote_identifier


def keyed_delete(
    node: Any, columns: Sequence[str], keys: Sequence[Sequence[str]], shown: str = ""
) -> str | None:
    """The DELETE of exactly the inserted rows; None where their keys are not all in the text.

    columns: the table's, in order. keys: the columns of its primary key and of its other unique
    keys without NULLs, best first. shown: how to name the table, as written if not given.
    """
    insert = node.select_stmt.select_stmt
    conflict = node.HasField("on_conflict_clause")
    if conflict or node.HasField("with_clause") or not insert.values_lists:
        return None
    named = [item.res_target.name for item in node.cols] or list(columns)
    rows = [list(item.list.items) for item in insert.values_lists]
    table = shown or relation_text(node.relation)
    for key in keys:
        if all(column in named for column in key):
            places = [named.index(column) for column in key]
            if all(len(row) > max(places) for row in rows):
                values = [[row[place] for place in places] for row in rows]
                if all(_is_literal(value) for row in values for value in row):
                    return f"DELETE FROM {table} WHERE {_condition(key, values)}"
    return None


def _condition(key: Sequence[str], rows: list[list[Any]]) -> str:
    texts = [[expression_text(value) for value in row] for row in rows]
    names = [quote_identifier(column) for column in key]
    if len(names) == 1:
        if len(texts) == 1:
            return f"{names[0]} = {texts[0][0]}"
        return f"{names[0]} IN ({', '.join(row[0] for row in texts)})"
    if len(texts) == 1:
        return " AND ".join(f"{name} = {text}" for name, text in zip(names, texts[0], strict=True))
    listed = ", ".join(f"({', '.join(row)})" for row in texts)
    return f"({', '.join(names)}) IN ({listed})"


def _is_literal(value: Any) -> bool:
    """A constant other than NULL, perhaps cast or with a sign."""
    node = getattr(value, value.WhichOneof("node"))
    if kind_of(node) == "TypeCast":
        return _is_literal(node.arg)
    if kind_of(node) == "A_Expr":
        sign = len(node.name) == 1 and node.name[0].string.sval in "+-"
        return sign and not node.HasField("lexpr") and _is_literal(node.rexpr)
    return kind_of(node) == "A_Const" and not node.isnull
