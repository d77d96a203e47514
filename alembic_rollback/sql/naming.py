"""The names PostgreSQL chooses for unnamed indexes and constraints.

Source: makeObjectName, ChooseRelationName, ChooseIndexNameAddition, ChooseIndexColumnNames
(indexcmds.c), ChooseConstraintName (pg_constraint.c), FigureColnameInternal (parse_target.c).
A clash is seen with the names of the same file only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from alembic_rollback.sql.build import enum_name, inner, kind_of, strings

_LIMIT = 63
"""NAMEDATALEN - 1, in bytes."""


def choose(table: str, addition: str, label: str, taken: set[str]) -> str:
    """`table_addition_label`, numbered where that is taken: `t_a_idx`, `t_a_idx1`."""
    number = 0
    while True:
        name = _fitted(table, addition, f"{label}{number or ''}")
        if name not in taken:
            return name
        number += 1


def index_addition(columns: Sequence[str]) -> str:
    """Column names as they stand in an index's name; whole names until they fill the limit."""
    joined = ""
    for column in columns:
        joined += f"_{column}" if joined else column
        if len(joined.encode()) > _LIMIT:
            break
    return joined


def index_columns(elements: Iterable[Any]) -> list[str]:
    """What PostgreSQL calls an index's columns; `expr` where an expression suggests no name."""
    names: list[str] = []
    for element in elements:
        base = element.name or element.indexcolname
        if not base:
            base = _suggested(inner(element.expr))[0] or "expr"
        names.append(_unlike(base, names))
    return names


def _unlike(base: str, names: list[str]) -> str:
    name, number = base, 0
    while name in names:
        number += 1
        name = _clipped(base, _LIMIT - len(str(number))) + str(number)
    return name


def _fitted(table: str, addition: str, label: str) -> str:
    first, second = len(table.encode()), len(addition.encode())
    room = _LIMIT - len(label.encode()) - 1 - (1 if addition else 0)
    while first + second > room:
        if first > second:
            first -= 1
        else:
            second -= 1
    parts = (_clipped(table, first), _clipped(addition, second), label)
    return "_".join(part for part in parts if part)


def _clipped(name: str, size: int) -> str:
    """At most `size` bytes, no character cut in two."""
    return name.encode()[:size].decode(errors="ignore")


# A name, and how sure PostgreSQL is of it: a cast's type gives way to 2.
_Suggestion = tuple[str, int]
_NOTHING: _Suggestion = ("", 0)


def _suggested(node: Any) -> _Suggestion:
    if node is None:
        return _NOTHING
    rule = _SUGGESTIONS.get(kind_of(node))
    return rule(node) if rule else _NOTHING


def _column(node: Any) -> _Suggestion:
    names = [item.string.sval for item in node.fields if item.WhichOneof("node") == "string"]
    return (names[-1], 2) if names else _NOTHING


def _indirection(node: Any) -> _Suggestion:
    names = [item.string.sval for item in node.indirection if item.WhichOneof("node") == "string"]
    return (names[-1], 2) if names else _suggested(inner(node.arg))


def _function(node: Any) -> _Suggestion:
    return strings(node.funcname)[-1], 2


def _operator(node: Any) -> _Suggestion:
    return ("nullif", 2) if enum_name(node, "kind") == "AEXPR_NULLIF" else _NOTHING


def _cast(node: Any) -> _Suggestion:
    found = _suggested(inner(node.arg))
    return found if found[1] > 1 else (strings(node.type_name.names)[-1], 1)


def _collate(node: Any) -> _Suggestion:
    return _suggested(inner(node.arg))


def _case(node: Any) -> _Suggestion:
    found = _suggested(inner(node.defresult))
    return found if found[1] > 1 else ("case", 1)


def _min_max(node: Any) -> _Suggestion:
    return ("greatest" if enum_name(node, "op") == "IS_GREATEST" else "least"), 2


def _value_function(node: Any) -> _Suggestion:
    name = enum_name(node, "op").removeprefix("SVFOP_").removesuffix("_N").lower()
    return name, 2


def _always(name: str) -> Callable[[Any], _Suggestion]:
    return lambda node: (name, 2)


_SUGGESTIONS: dict[str, Callable[[Any], _Suggestion]] = {
    "A_ArrayExpr": _always("array"),
    "A_Expr": _operator,
    "A_Indirection": _indirection,
    "CaseExpr": _case,
    "CoalesceExpr": _always("coalesce"),
    "CollateClause": _collate,
    "ColumnRef": _column,
    "FuncCall": _function,
    "MinMaxExpr": _min_max,
    "RowExpr": _always("row"),
    "SQLValueFunction": _value_function,
    "TypeCast": _cast,
    "XmlSerialize": _always("xmlserialize"),
}
