"""BEGIN and COMMIT in a script, which is one transaction together with the ledger.

Where a file has whole transactions, around everything or beside each other, their BEGIN and COMMIT
are dropped: all or nothing of it happens. What is meant to end with one of several, or to be seen
by the next, would be something else then, and is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from alembic_rollback.errors import ScriptSyntaxError
from alembic_rollback.sql.build import enum_name
from alembic_rollback.sql.outside import why_outside_transaction

if TYPE_CHECKING:
    from alembic_rollback.sql.parser import Statement

_BEGIN = ("TRANS_STMT_BEGIN", "TRANS_STMT_START")
_COMMIT = "TRANS_STMT_COMMIT"
_ENDS = (*_BEGIN, _COMMIT)
_INSIDE = ("TRANS_STMT_SAVEPOINT", "TRANS_STMT_RELEASE", "TRANS_STMT_ROLLBACK_TO")
_KEPT = ("ONCOMMIT_NOOP", "ONCOMMIT_PRESERVE_ROWS", "ON_COMMIT_ACTION_UNDEFINED")


def join(
    statements: tuple[Statement, ...], *, no_transaction: bool = False
) -> tuple[tuple[Statement, ...], bool]:
    """The statements without BEGIN and COMMIT of whole transactions; whether those are several.

    no_transaction: nothing is run in one, so that no more than the file's own may be dropped.
    Raises ScriptSyntaxError with the place of any other control of transactions but savepoints.
    """
    controls = [one for one in statements if _control(one) in _ENDS]
    around = controls == [statements[0], statements[-1]] if statements else False
    several = bool(controls) and not around
    if _are_whole(controls) and not (several and no_transaction):
        _refuse_options(controls[::2])
        statements = tuple(one for one in statements if _control(one) not in _ENDS)
        if several:
            _refuse_what_ends_with_one(statements)
    for statement in statements:
        _refuse_control(statement)
    return statements, several


def _are_whole(controls: Sequence[Statement]) -> bool:
    if len(controls) % 2:
        return False
    return all(
        _control(begin) in _BEGIN and _control(commit) == _COMMIT and not commit.node.chain
        for begin, commit in zip(controls[::2], controls[1::2], strict=True)
    )


def _refuse_options(begins: Sequence[Statement]) -> None:
    for begin in begins:
        if begin.node.options:
            raise ScriptSyntaxError(
                "BEGIN with options cannot be honoured: script, ledger and version table share "
                "one transaction.",
                where=begin.where,
                next_step="Write plain BEGIN, or nothing.",
            )


def _refuse_control(statement: Statement) -> None:
    control = _control(statement)
    if control and control not in _INSIDE:
        raise ScriptSyntaxError(
            f"{statement.text.split()[0].upper()} here would end the migration's transaction.",
            where=statement.where,
            next_step="Only whole transactions, BEGIN … COMMIT, are allowed, and are run as one; "
            "split the file into one pair per transaction.",
        )


def _refuse_what_ends_with_one(statements: Sequence[Statement]) -> None:
    for statement in statements:
        what = _of_one_transaction(statement)
        if what:
            raise ScriptSyntaxError(
                f"{what} here is of one of the file's transactions, and they are run as one.",
                where=statement.where,
                next_step="Split the file into one pair per transaction.",
            )


def _of_one_transaction(statement: Statement) -> str | None:
    """What lasts until the end of its transaction, or is of use after it only."""
    node: Any = statement.node
    match statement.kind:
        case "VariableSetStmt" if node.is_local or node.name.startswith("TRANSACTION"):
            return "SET TRANSACTION" if node.name.startswith("TRANSACTION") else "SET LOCAL"
        case "ConstraintsSetStmt":
            return "SET CONSTRAINTS"
        case "AlterEnumStmt" if node.new_val and not node.old_val:
            return "ADD VALUE"
        case "DeclareCursorStmt":
            return "DECLARE"
        case "CreateStmt" if enum_name(node, "oncommit") not in _KEPT:
            return "ON COMMIT"
        case "CreateTableAsStmt" if enum_name(node.into, "on_commit") not in _KEPT:
            return "ON COMMIT"
        case _:
            # By its text: it may also stand in the body of a DO.
            return why_outside_transaction(node) or (
                "set_config" if "set_config" in statement.text.lower() else None
            )


def _control(statement: Statement) -> str | None:
    return enum_name(statement.node, "kind") if statement.kind == "TransactionStmt" else None
