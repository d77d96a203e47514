"""The expressions of constraints, by the SQL parser: their parts, columns and constants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from alembic_rollback.errors import ScriptSyntaxError
from alembic_rollback.sql.build import enum_name, expression_text, inner, kind_of
from alembic_rollback.sql.parser import Statement, parse


@dataclass(frozen=True)
class Condition:
    """One of the conditions that a row must satisfy: false for none, NULL will do."""

    text: str
    columns: frozenset[str]
    constants: tuple[str, ...]
    """Numbers and strings, as text."""


@lru_cache(maxsize=4096)
def conditions(expression: str) -> tuple[Condition, ...]:
    """What an expression of pg_get_expr requires, split where it is an AND.

    Empty for what the parser cannot read: a row is then tried without knowing it.
    """
    try:
        (statement,) = parse(f"SELECT ({expression})", Path("constraint"))
    except ScriptSyntaxError:
        return ()
    parts = list(_parts(statement.node.target_list[0].res_target.val))
    if len(parts) == 1:
        return (_condition(expression, statement),)
    texts = [expression_text(part) for part in parts]
    return tuple(_condition(text, *parse(f"SELECT {text}", Path("constraint"))) for text in texts)


def _parts(wrapper: Any) -> Iterator[Any]:
    node = inner(wrapper)
    if kind_of(node) == "BoolExpr" and enum_name(node, "boolop") == "AND_EXPR":
        for part in node.args:
            yield from _parts(part)
    else:
        yield wrapper


def _condition(text: str, statement: Statement) -> Condition:
    columns, constants = set(), []
    for node in statement.walk():
        if kind_of(node) == "ColumnRef":
            columns.add(_column(node))
        elif kind_of(node) == "A_Const":
            constants.append(_constant(node))
    known = dict.fromkeys(one for one in constants if one is not None)
    return Condition(text, frozenset(columns), tuple(known))


def _column(node: Any) -> str:
    last = inner(node.fields[-1])
    return str(last.sval) if kind_of(last) == "String" else "*"


def _constant(node: Any) -> str | None:
    which = node.WhichOneof("val")
    if which == "ival":
        return str(node.ival.ival)
    if which == "fval":
        return str(node.fval.fval)
    return str(node.sval.sval) if which == "sval" else None
