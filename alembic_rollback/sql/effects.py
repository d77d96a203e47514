"""What a statement takes away, from its tree alone: the objects and rows it names itself.

What else goes with them (CASCADE) and how many rows there are is the catalog's to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from alembic_rollback.sql.build import enum_name, kind_of
from alembic_rollback.sql.names import quote_identifier, quote_name

if TYPE_CHECKING:
    from alembic_rollback.sql.parser import Node, Statement


class Loss(Enum):
    """How much an effect can cost."""

    ROWS = "rows"
    """Rows or values go: a table, a column, a DELETE."""
    DEFINITION = "definition"
    """Only a definition goes, which a script can make again: an index, a policy, a view."""
    UNKNOWN = "unknown"
    """It cannot be read from the text: DO, CALL, a function."""


@dataclass(frozen=True)
class Effect:
    """One thing that a statement removes or changes."""

    action: str
    """In SQL's words: `DROP TABLE`, `DELETE FROM`, `DROP COLUMN total OF`."""
    kind: str
    """`table`, `column`, `schema`, `index`, `policy`, …"""
    name: tuple[str, ...]
    loss: Loss
    statement: Statement
    cascade: bool = False
    column: str = ""
    """The column's name, where a column goes."""

    @property
    def shown(self) -> str:
        """`DROP TABLE purchase_orders`."""
        return f"{self.action} {quote_name(self.name)}".strip()


# Dropping these takes rows with it by itself; what others take, the catalog says.
_WITH_ROWS = {"TABLE", "SCHEMA", "MATVIEW", "FOREIGN_TABLE"}
_WORDS = {
    "MATVIEW": "MATERIALIZED VIEW",
    "STATISTIC_EXT": "STATISTICS",
    "TSCONFIGURATION": "TEXT SEARCH CONFIGURATION",
    "TSDICTIONARY": "TEXT SEARCH DICTIONARY",
    "TSPARSER": "TEXT SEARCH PARSER",
    "TSTEMPLATE": "TEXT SEARCH TEMPLATE",
    "OPCLASS": "OPERATOR CLASS",
    "OPFAMILY": "OPERATOR FAMILY",
    "FDW": "FOREIGN DATA WRAPPER",
    "FOREIGN_SERVER": "SERVER",
}
# What goes with these by CASCADE is not followed through the catalog.
_NOT_FOLLOWED = {"CAST", "OPCLASS", "OPERATOR", "OPFAMILY", "TRANSFORM"}
# Statements that keep an expression for later and call nothing now.
_KEEP = {
    "AlterPolicyStmt",
    "CreateDomainStmt",
    "CreateFunctionStmt",
    "CreatePolicyStmt",
    "CreateStmt",
    "CreateTrigStmt",
    "IndexStmt",
    "RuleStmt",
    "ViewStmt",
}


@lru_cache(maxsize=4096)
def effects(statement: Statement) -> tuple[Effect, ...]:
    """What one statement names for removal, nested statements (CTEs) included."""
    handler = _HANDLERS.get(statement.kind)
    found = list(handler(statement)) if handler else []
    if statement.kind not in _KEEP:
        found += _changed_rows(statement)
        found += _calls(statement)
    return tuple(found)


def _drop(statement: Statement) -> Iterator[Effect]:
    node = statement.node
    what = enum_name(node, "remove_type").removeprefix("OBJECT_")
    words = _WORDS.get(what, what.replace("_", " "))
    for item in node.objects:
        if what in ("CAST", "TRANSFORM"):  # two names that are no relation's
            shown = f"DROP {words} {' '.join(quote_name(_object_name(i)) for i in item.list.items)}"
            yield Effect(shown, words.lower(), (), Loss.DEFINITION, statement)
            continue
        name: tuple[str, ...] = _object_name(item)
        owner: tuple[str, ...] = ()
        if what in ("POLICY", "TRIGGER", "RULE"):
            name, owner = name[-1:], name[:-1]
        elif what in ("OPCLASS", "OPFAMILY"):
            name = name[1:]  # the first part is the access method
        action = f"DROP {words}"
        shown = f"{action} {quote_name(name)} ON" if owner else action
        cascade = enum_name(node, "behavior") == "DROP_CASCADE"
        yield Effect(
            shown, words.lower(), owner or name, _loss_of_drop(what, cascade), statement, cascade
        )


def _loss_of_drop(what: str, cascade: bool) -> Loss:
    if what in _WITH_ROWS:
        return Loss.ROWS
    return Loss.UNKNOWN if cascade and what in _NOT_FOLLOWED else Loss.DEFINITION


def _object_name(item: Any) -> tuple[str, ...]:
    """DropStmt names objects by list, string, type name or function signature."""
    kind = item.WhichOneof("node")
    if kind == "string":
        return (item.string.sval,)
    if kind == "type_name":
        return tuple(part.string.sval for part in item.type_name.names)
    if kind == "object_with_args":
        return tuple(part.string.sval for part in item.object_with_args.objname)
    return tuple(name for part in item.list.items for name in _object_name(part))


def _alter_table(statement: Statement) -> Iterator[Effect]:
    from postgast import pg_query_pb2 as pg

    table = relation_name(statement.node.relation)
    for command in (item.alter_table_cmd for item in statement.node.cmds):
        column = quote_identifier(command.name)
        cascade = command.behavior == pg.DROP_CASCADE
        if command.subtype == pg.AT_DropColumn:
            yield Effect(
                f"DROP COLUMN {column} OF",
                "column",
                table,
                Loss.ROWS,
                statement,
                cascade,
                command.name,
            )
        elif command.subtype == pg.AT_AlterColumnType:
            action = f"CHANGE TYPE OF {column} IN"
            yield Effect(action, "column", table, Loss.ROWS, statement, column=command.name)
        elif command.subtype == pg.AT_DropConstraint:
            action = f"DROP CONSTRAINT {column} OF"
            yield Effect(action, "constraint", table, Loss.DEFINITION, statement, cascade)


def _truncate(statement: Statement) -> Iterator[Effect]:
    from postgast import pg_query_pb2 as pg

    cascade = statement.node.behavior == pg.DROP_CASCADE
    for item in statement.node.relations:
        name = relation_name(item.range_var)
        yield Effect("TRUNCATE", "table", name, Loss.ROWS, statement, cascade)


def _unknown(words: str) -> Callable[[Statement], Iterator[Effect]]:
    def handler(statement: Statement) -> Iterator[Effect]:
        yield Effect(words, "unknown", (), Loss.UNKNOWN, statement)

    return handler


def _calls(statement: Statement) -> Iterator[Effect]:
    """Functions that the statement calls; whether one is harmless is the catalog's to say."""
    names = {
        tuple(part.string.sval for part in node.funcname)
        for node in _telling(statement)
        if kind_of(node) == "FuncCall"
    }
    for name in sorted(names):
        yield Effect("CALL", "function call", name, Loss.UNKNOWN, statement)


def _changed_rows(statement: Statement) -> Iterator[Effect]:
    verbs = {"DeleteStmt": "DELETE FROM", "UpdateStmt": "UPDATE", "MergeStmt": "MERGE INTO"}
    for node in _telling(statement):
        verb = verbs.get(kind_of(node))
        if kind_of(node) == "InsertStmt" and _overwrites(node):
            verb = "UPDATE (ON CONFLICT)"
        if verb:
            yield Effect(verb, "rows", relation_name(node.relation), Loss.ROWS, statement)


def _overwrites(insert: Any) -> bool:
    from postgast.pg_query_pb2 import ONCONFLICT_UPDATE

    return bool(insert.on_conflict_clause.action == ONCONFLICT_UPDATE)


def changed_tables(statement: Statement) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(event, table) of each change of rows, for which triggers fire: INSERT, UPDATE, …"""
    if statement.kind == "TruncateStmt":
        for item in statement.node.relations:
            yield "TRUNCATE", relation_name(item.range_var)
    if statement.kind == "CopyStmt" and statement.node.is_from:
        yield "INSERT", relation_name(statement.node.relation)
    if statement.kind in _KEEP:
        return
    for node in _telling(statement):
        events = _EVENTS.get(kind_of(node), ())
        if kind_of(node) == "InsertStmt" and _overwrites(node):
            events = ("INSERT", "UPDATE")
        for event in events:
            yield event, relation_name(node.relation)


_EVENTS = {
    "DeleteStmt": ("DELETE",),
    "InsertStmt": ("INSERT",),
    "MergeStmt": ("INSERT", "UPDATE", "DELETE"),
    "UpdateStmt": ("UPDATE",),
}
_TELLING = {"FuncCall", "RangeVar", *_EVENTS}


@lru_cache(maxsize=4096)
def _telling(statement: Statement) -> tuple[Node, ...]:
    """Of its tree, what names relations, changes rows and calls functions: one walk for all."""
    return tuple(node for node in statement.walk() if kind_of(node) in _TELLING)


def is_foreseeable(statement: Statement) -> bool:
    """Whether the catalog and its text tell all that it does.

    It changes no rows but by dropping them, and evaluates no expression that could call something.
    """
    if statement.kind == "DropStmt":
        return all(effect.loss is not Loss.UNKNOWN for effect in effects(statement))
    if statement.kind == "AlterTableStmt":
        return all(
            enum_name(item.alter_table_cmd, "subtype") in _FORESEEABLE
            for item in statement.node.cmds
        )
    return statement.kind == "CommentStmt"


_FORESEEABLE = {
    "AT_ColumnDefault",
    "AT_DisableRowSecurity",
    "AT_DropColumn",
    "AT_DropConstraint",
    "AT_DropNotNull",
    "AT_EnableRowSecurity",
    "AT_ForceRowSecurity",
    "AT_NoForceRowSecurity",
    "AT_SetNotNull",
}


def sets_search_path(statement: Statement) -> bool:
    """Whether it is SET search_path, or a SELECT of nothing but set_config('search_path', …)."""
    if statement.kind == "VariableSetStmt":
        return bool(statement.node.name == "search_path")
    if statement.kind != "SelectStmt":
        return False
    calls = [node for node in statement.walk() if type(node).__name__ == "FuncCall"]
    return len(calls) == 1 and (
        calls[0].funcname[-1].string.sval == "set_config"
        and bool(calls[0].args)
        and calls[0].args[0].a_const.sval.sval == "search_path"
        and not statement.node.from_clause
    )


@lru_cache(maxsize=4096)
def named_relations(statement: Statement) -> frozenset[tuple[str, ...]]:
    """Every table, view, index or sequence that a statement names, as it is written there."""
    nodes = (node for node in _telling(statement) if kind_of(node) == "RangeVar")
    named = {relation_name(node) for node in nodes}
    return frozenset(named | {effect.name for effect in effects(statement) if effect.name})


def relation_name(relation: Any) -> tuple[str, ...]:
    """A RangeVar's schema (where given) and name."""
    return tuple(part for part in (relation.schemaname, relation.relname) if part)


_HANDLERS: dict[str, Callable[[Statement], Iterator[Effect]]] = {
    "AlterTableStmt": _alter_table,
    "DoStmt": _unknown("DO block"),
    "DropOwnedStmt": _unknown("DROP OWNED"),
    "DropRoleStmt": _unknown("DROP ROLE"),
    "DropStmt": _drop,
    "DropdbStmt": _unknown("DROP DATABASE"),
    "ExecuteStmt": _unknown("EXECUTE a prepared statement"),
    "TruncateStmt": _truncate,
}
