"""Statements that leave nothing behind in the database: settings, locks, cursors, notices.

A change of search_path says what the names below it mean, and a change of role who grants.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from alembic_rollback.inverse.registry import Missing, Part, Step, inverts
from alembic_rollback.sql.build import enum_name, kind_of, nodes

if TYPE_CHECKING:
    from alembic_rollback.sql.parser import Statement


@inverts(
    "CheckPointStmt",
    "ClosePortalStmt",
    "ConstraintsSetStmt",
    "DeallocateStmt",
    "DeclareCursorStmt",
    "DiscardStmt",
    "FetchStmt",
    "ListenStmt",
    "LoadStmt",
    "LockStmt",
    "NotifyStmt",
    "PrepareStmt",
    "UnlistenStmt",
    "VariableShowStmt",
)
def nothing(step: Step) -> Iterator[Part]:
    """Nothing to undo: it ends with the session or the transaction."""
    yield from ()


@inverts("VariableSetStmt")
def set_variable(step: Step) -> Iterator[Part]:
    """SET and RESET: nothing to undo, but a role set here is the one that grants below."""
    node = step.node
    if node.name in ("role", "session_authorization"):
        step.world.acting = enum_name(node, "kind") == "VAR_SET_VALUE"
    yield from ()


@inverts("TransactionStmt")
def transaction(step: Step) -> Iterator[Part]:
    """SAVEPOINT and RELEASE change nothing; ROLLBACK TO takes back what stands above it."""
    if enum_name(step.node, "kind") == "TRANS_STMT_ROLLBACK_TO":
        yield Missing("which of the statements above it ROLLBACK TO left in force")


def sets_path(statement: Statement) -> str:
    """What repeats a change of search_path in the down; empty for any other statement."""
    node = statement.node
    if statement.kind == "VariableSetStmt" and node.name == "search_path":
        return statement.text
    if _resets_all(statement):
        return "RESET search_path"
    if statement.kind == "SelectStmt" and any(_sets_path(each) for each in nodes(node)):
        return statement.text
    return ""


def _resets_all(statement: Statement) -> bool:
    """RESET ALL and DISCARD ALL reset search_path too."""
    if statement.kind == "VariableSetStmt":
        return enum_name(statement.node, "kind") == "VAR_RESET_ALL"
    return statement.kind == "DiscardStmt" and enum_name(statement.node, "target") == "DISCARD_ALL"


def _sets_path(node: Any) -> bool:
    if kind_of(node) != "FuncCall" or node.funcname[-1].string.sval != "set_config":
        return False
    return any(argument.a_const.sval.sval == "search_path" for argument in node.args)
