"""Rows: those before are not in the text, unless the file made the table or the columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from alembic_rollback.inverse.registry import Missing, Part, Step, inverts
from alembic_rollback.inverse.tables import select_into
from alembic_rollback.sql.build import enum_name, inner, kind_of, nodes, split_name, strings
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.names import quote_identifier, quote_name

if TYPE_CHECKING:
    from alembic_rollback.inverse.world import World

# Functions of PostgreSQL itself that leave nothing behind that a rollback would have to undo.
_HARMLESS = {
    "array_agg",
    "avg",
    "clock_timestamp",
    "concat",
    "count",
    "current_database",
    "current_schema",
    "current_setting",
    "format",
    "length",
    "lower",
    "max",
    "min",
    "now",
    "pg_advisory_lock",
    "pg_advisory_unlock",
    "pg_advisory_xact_lock",
    "pg_notify",
    "pg_sleep",
    "set_config",
    "string_agg",
    "sum",
    "to_regclass",
    "to_regtype",
    "upper",
    "version",
}


@inverts("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")
def change_rows(step: Step) -> Iterator[Part]:
    """INSERT, UPDATE, DELETE, MERGE, those inside a WITH too."""
    yield from _changes(step, step.node)


def _changes(step: Step, tree: Any) -> Iterator[Part]:
    # Outermost first, which is the statement that the user sees.
    for node in nodes(tree):
        fact = _FACTS.get(kind_of(node))
        if fact:
            thing = step.world.find("relation", relation_name(node.relation))
            if not thing.new and not _only_new_columns(step.world, node):
                yield Missing(fact(node, quote_name(relation_name(node.relation))), rows=True)


def _only_new_columns(world: World, node: Any) -> bool:
    """An UPDATE that only fills columns which the file added: they go with what it wrote."""
    if kind_of(node) != "UpdateStmt":
        return False
    table = world.find("relation", relation_name(node.relation))
    return all(world.part(table, "column", item.res_target.name).new for item in node.target_list)


def _inserted(node: Any, table: str) -> str:
    query = node.select_stmt.select_stmt
    if enum_name(node.on_conflict_clause, "action") == "ONCONFLICT_UPDATE":
        return f"what the rows of {table} held that ON CONFLICT updated, and which rows were new"
    if query.values_lists or not node.HasField("select_stmt"):
        return f"the key by which to delete the rows inserted into {table}: it is not in the text"
    return f"which rows of {table} are the inserted ones: the query's result is not in the text"


def _updated(node: Any, table: str) -> str:
    names = [item.res_target.name for item in node.target_list]
    columns = ", ".join(quote_identifier(name) for name in dict.fromkeys(names))
    return f"what {columns} of {table} held before: UPDATE keeps no old values"


def _deleted(node: Any, table: str) -> str:
    return f"the deleted rows of {table}: DELETE keeps none of them"


def _merged(node: Any, table: str) -> str:
    return f"which rows of {table} were there before, and what they held: MERGE keeps neither"


_FACTS: dict[str, Callable[[Any, str], str]] = {
    "DeleteStmt": _deleted,
    "InsertStmt": _inserted,
    "MergeStmt": _merged,
    "UpdateStmt": _updated,
}


@inverts("TruncateStmt")
def truncate(step: Step) -> Iterator[Part]:
    """TRUNCATE: the rows are gone."""
    cascade = enum_name(step.node, "behavior") == "DROP_CASCADE"
    for item in step.node.relations:
        name = relation_name(item.range_var)
        thing = step.world.find("relation", name)
        fact = f"the rows of {quote_name(name)}: TRUNCATE keeps none of them"
        if cascade:
            yield Missing(f"{fact}, nor those of the tables that CASCADE emptied", rows=True)
        else:
            yield from step.lost(thing, fact, rows=True)


@inverts("CopyStmt")
def copy(step: Step) -> Iterator[Part]:
    """COPY FROM adds rows that only the file names; COPY TO changes nothing."""
    if step.node.is_from:
        name = relation_name(step.node.relation)
        fact = f"which rows of {quote_name(name)} were copied in: they are not in the text"
        yield from step.lost(step.world.find("relation", name), fact, rows=True)


@inverts("SelectStmt")
def select(step: Step) -> Iterator[Part]:
    """SELECT: nothing to undo, unless it changes rows, makes a table or calls what may do so."""
    node = step.node
    if node.HasField("into_clause"):
        yield from select_into(step, node.into_clause.rel)
    yield from _changes(step, node)
    for each in nodes(node):
        if kind_of(each) == "FuncCall":
            yield from _called(step, each)


def _called(step: Step, call: Any) -> Iterator[Part]:
    name = strings(call.funcname)
    if name[:-1] in ((), ("pg_catalog",)):
        if name[-1] in _HARMLESS:
            return
        if name[-1] in ("setval", "nextval"):
            yield from _sequence(step, call)
            return
    yield Missing(f"what function {quote_name(name)} changed, if it did: its call does not tell")


def _sequence(step: Step, call: Any) -> Iterator[Part]:
    argument = inner(call.args[0]) if call.args else None
    if argument is not None and kind_of(argument) == "TypeCast":
        argument = inner(argument.arg)
    text = argument.sval.sval if argument is not None and kind_of(argument) == "A_Const" else ""
    name = split_name(text)
    if name is None:
        yield Missing("the value that the sequence had before", rows=True)
        return
    fact = f"the value that sequence {quote_name(name)} had before"
    yield from step.lost(step.world.find("relation", name), fact, rows=True)


@inverts("ExplainStmt")
def explain(step: Step) -> Iterator[Part]:
    """EXPLAIN only looks; EXPLAIN ANALYZE runs what it explains."""
    if any(item.def_elem.defname == "analyze" for item in step.node.options):
        yield Missing("what EXPLAIN ANALYZE changed by running the statement")


@inverts("ExecuteStmt")
def execute(step: Step) -> Iterator[Part]:
    """EXECUTE: the prepared statement may do anything."""
    yield Missing(f"what prepared statement {quote_identifier(step.node.name)} changed")
