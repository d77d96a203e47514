"""Pieces of a syntax tree → SQL text, quoted. What the deparser can write, it writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from alembic_rollback.sql.names import quote_identifier, quote_name

_ROLES = {
    "ROLESPEC_CURRENT_ROLE": "CURRENT_ROLE",
    "ROLESPEC_CURRENT_USER": "CURRENT_USER",
    "ROLESPEC_SESSION_USER": "SESSION_USER",
    "ROLESPEC_PUBLIC": "PUBLIC",
}
# What PostgreSQL looks functions up by; OUT and TABLE columns are results.
_INPUT = {"FUNC_PARAM_IN", "FUNC_PARAM_INOUT", "FUNC_PARAM_VARIADIC", "FUNC_PARAM_DEFAULT"}


def inner(node: Any) -> Any:
    """The node inside a `Node` wrapper; None where the wrapper is empty."""
    which = node.WhichOneof("node")
    return getattr(node, which) if which else None


def kind_of(node: Any) -> str:
    """The parse node's name: `CreateStmt`, `String`, …"""
    return type(node).__name__


def enum_name(node: Any, field: str) -> str:
    """The name of an enum field's value: `OBJECT_TABLE`."""
    return _enum_names(node.DESCRIPTOR, field)[getattr(node, field)]


@cache
def _enum_names(kind: Any, field: str) -> dict[int, str]:
    """By number: a message's descriptor takes longer to look it up than all that asks for it."""
    values = kind.fields_by_name[field].enum_type.values
    return {value.number: str(value.name) for value in values}


def strings(items: Iterable[Any]) -> tuple[str, ...]:
    """A list of String nodes, as in a dotted name."""
    return tuple(item.string.sval for item in items)


def options(items: Iterable[Any]) -> dict[str, Any]:
    """DefElem options by name, each with its argument's node (None where it has none)."""
    return {item.def_elem.defname: inner(item.def_elem.arg) for item in items}


def type_name(node: Any) -> tuple[str, ...]:
    """A TypeName's dotted name, `pg_catalog` spelled out where the parser knows the type."""
    return strings(node.names)


def type_text(node: Any, *, modifier: bool = True) -> str:
    """A TypeName as SQL; without its modifier, as in a function's signature."""
    from postgast import deparse
    from postgast import pg_query_pb2 as pg

    select = pg.SelectStmt()
    cast = select.target_list.add().res_target.val.type_cast
    cast.arg.a_const.isnull = True
    cast.type_name.CopyFrom(node)
    cast.type_name.setof = False
    if not modifier:
        del cast.type_name.typmods[:]
    tree = pg.ParseResult()
    tree.stmts.add().stmt.select_stmt.CopyFrom(select)
    return str(deparse(tree)).removeprefix("SELECT NULL::")


def expression_text(node: Any) -> str:
    """An expression's Node as SQL."""
    from postgast import deparse
    from postgast import pg_query_pb2 as pg

    select = pg.SelectStmt()
    select.target_list.add().res_target.val.CopyFrom(node)
    tree = pg.ParseResult()
    tree.stmts.add().stmt.select_stmt.CopyFrom(select)
    return str(deparse(tree)).removeprefix("SELECT ")


def parameters_text(parameters: Iterable[Any]) -> str:
    """FunctionParameters as the signature that DROP FUNCTION takes: `int, text[]`."""
    found = (item.function_parameter for item in parameters)
    return ", ".join(
        type_text(parameter.arg_type, modifier=False)
        for parameter in found
        if enum_name(parameter, "mode") in _INPUT
    )


def arguments_text(node: Any) -> str:
    """An ObjectWithArgs' signature, parentheses included; empty where none is written."""
    if node.args_unspecified:
        return ""
    if node.objfuncargs:
        return f"({parameters_text(node.objfuncargs)})"
    return f"({', '.join(operand_text(item) for item in node.objargs)})"


def operand_text(item: Any) -> str:
    """A type in a list where a missing one is NONE, as for an operator's operands."""
    node = inner(item)
    return "NONE" if node is None else type_text(node, modifier=False)


def operator_text(name: tuple[str, ...]) -> str:
    """An operator's name; its symbol is not an identifier and is never quoted."""
    return ".".join((*(quote_identifier(part) for part in name[:-1]), name[-1]))


def role_text(role: Any) -> str:
    """A RoleSpec as SQL."""
    return _ROLES.get(enum_name(role, "roletype")) or quote_identifier(role.rolename)


def roles_text(items: Iterable[Any]) -> str:
    """A list of RoleSpecs as SQL."""
    return ", ".join(role_text(item.role_spec) for item in items)


def columns_text(items: Iterable[Any]) -> str:
    """A list of column names as SQL."""
    return ", ".join(quote_identifier(name) for name in strings(items))


def relation_text(relation: Any) -> str:
    """A RangeVar's name as SQL, with its schema where one is written."""
    return quote_name(tuple(part for part in (relation.schemaname, relation.relname) if part))


def nodes(tree: Any) -> Iterator[Any]:
    """Every node of a tree, its own root first."""
    from postgast import walk

    return (node for _, node in walk(tree))


def split_name(text: str) -> tuple[str, ...] | None:
    """The dotted name that a string holds, as regclass would read it; None where it holds none."""
    from postgast import PgQueryError, parse

    if not text or len(text) > 200:
        return None
    try:
        statements = parse(f"TABLE {text}").stmts
    except PgQueryError:
        return None
    clause = list(statements[0].stmt.select_stmt.from_clause) if len(statements) == 1 else []
    if len(clause) != 1 or clause[0].WhichOneof("node") != "range_var":
        return None
    relation = clause[0].range_var
    return tuple(part for part in (relation.schemaname, relation.relname) if part)
