"""Rows that a script changes, and what of them can be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.inverse.generate import alone
from alembic_rollback.inverse.keys import keyed_delete
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.names import quote_name

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot
    from alembic_rollback.sql.parser import Statement

CHANGE_ROWS = ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "TruncateStmt", "CopyStmt")
"""Statements that change nothing but rows."""


def is_new(statement: Statement, start: Snapshot, now: Snapshot) -> bool:
    """Whether a statement changes only what came since the start: a table, columns of one."""
    table = _table(statement, now)
    if table is None or table.id not in start.facts:
        return True
    if statement.kind != "UpdateStmt":
        return False
    columns = {one.details["name"]: one.id for one in now.children_of(table, "column")}
    found = [columns.get(item.res_target.name) for item in statement.node.target_list]
    return all(one not in start.facts for one in found if one is not None)


def missing_facts(statement: Statement) -> list[str]:
    """What its own text leaves missing."""
    return [one.fact for one in alone(statement)[1]]


def _table(statement: Statement, snapshot: Snapshot) -> Fact | None:
    """The table whose rows a statement changes."""
    relation = getattr(statement.node, "relation", None)
    if relation is None:
        return None
    name = quote_name(relation_name(relation))
    tables = (fact for fact in snapshot.facts.values() if fact.kind == "table")
    return next((fact for fact in tables if name in (fact.name, fact.key)), None)


def lost_with(made: tuple[Fact, ...]) -> tuple[str, ...]:
    """What making tables and columns anew doesn't bring back."""
    tables = {fact.id for fact in made if fact.kind == "table"}
    return tuple(
        f"the rows of table {fact.name}: they are gone with it"
        if fact.kind == "table"
        else f"the values of column {fact.name}: they are gone with it"
        for fact in made
        if fact.kind == "table" or fact.parent not in tables
    )


def delete_of(statement: Statement, snapshot: Snapshot) -> str | None:
    """The DELETE for rows whose key is in the text of their INSERT."""
    table = _table(statement, snapshot)
    if table is None:
        return None
    columns = [one.details["name"] for one in snapshot.children_of(table, "column")]
    return keyed_delete(statement.node, columns, _keys(table, snapshot), table.name)


def _keys(table: Fact, snapshot: Snapshot) -> list[list[str]]:
    """Columns of the primary key, then of unique constraints without NULLs."""
    required = {
        one.details["name"]
        for one in snapshot.children_of(table, "column")
        if one.details.get("not null") is not None
    }
    found = sorted(
        (one.details["type"], one.details["columns"])
        for one in snapshot.children_of(table, "constraint")
        if one.details["type"] in "pu" and one.details.get("columns")
    )
    return [columns for _, columns in found if required.issuperset(columns)]
