"""Other people's files, run as an upgrade would, or as near to that as they allow."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from alembic_rollback.errors import PairError, RollbackError, StatementError
from alembic_rollback.pairs import read_header
from alembic_rollback.runner import describe, execute, run_script
from alembic_rollback.scratch import ScratchDatabase
from alembic_rollback.sql.parser import Statement, parse
from alembic_rollback.sql.script import Script, read_script

# active_sql_transaction, unsafe_new_enum_value_usage
IN_STEPS = ("25001", "55P04")
AUTOCOMMIT: dict[str, Any] = {"isolation_level": "AUTOCOMMIT"}
AS_IT_IS: dict[str, Any] = {"no_parameters": True}


def script_of(text: str, path: Path) -> Script:
    """A file as an upgrade reads it. Raises ScriptSyntaxError."""
    return read_script(text, path, no_transaction=read_header(text).no_transaction)


def run_file(database: ScratchDatabase, text: str, path: Path, *, drop_roles: bool = True) -> str:
    """Run a file and commit; why it failed, else nothing.

    In a transaction if it can be, else statement by statement; what no upgrade would run (several
    transactions) is sent to the server as it stands. drop_roles: or leave DROP ROLE out.
    """
    try:
        try:
            script = script_of(text, path)
        except PairError:
            send(database, text, path, drop_roles=drop_roles)
            return ""
        kept = tuple(one for one in script.statements if drop_roles or not drops_role(one))
        script = replace(script, statements=kept)
        run(database, script)
    except (RollbackError, DBAPIError) as error:
        return told(error)
    return ""


def run(database: ScratchDatabase, script: Script) -> None:
    if script.transactional:
        try:
            with database.connect() as connection, connection.begin():
                run_script(connection, script)
            return
        except StatementError as error:
            if error.sqlstate not in IN_STEPS:
                raise
    with database.connect().execution_options(**AUTOCOMMIT) as connection:
        run_script(connection, script)


def send(database: ScratchDatabase, text: str, path: Path, *, drop_roles: bool) -> None:
    """Let the server make of a text what it will: one transaction, unless it says BEGIN."""
    statements = parse(text, path)
    database.server.admit(Script(path, statements))
    kept = [one for one in statements if drop_roles or not drops_role(one)]
    with database.engine() as engine:
        try:
            if len(kept) == len(statements):
                with engine.connect().execution_options(**AUTOCOMMIT) as connection:
                    connection.exec_driver_sql(text, execution_options=AS_IT_IS).close()
                return
        except DBAPIError as error:
            if describe(error)["sqlstate"] not in IN_STEPS:
                raise
        with engine.connect().execution_options(**AUTOCOMMIT) as connection:
            for number, statement in enumerate(kept, 1):
                execute(connection, statement, number, len(kept))


def drops_role(statement: Statement) -> bool:
    return statement.kind == "DropRoleStmt"


@dataclass(frozen=True)
class Ran:
    """What became of a file that was run for good."""

    failure: str
    """Why not all of it did."""
    text: str
    """A pair's up that does what worked of it."""


def run_for_good(database: ScratchDatabase, text: str, path: Path) -> Ran:
    """Run a file, or what works of it, since later files may stand on that."""
    failure = run_file(database, text, path)
    if not failure:
        return Ran("", as_of_a_pair(text, path))
    worked: list[Statement] = []
    statements: Sequence[Statement] = ()
    with suppress(PairError):
        statements = parse(text, path)
    with database.connect().execution_options(**AUTOCOMMIT) as connection:
        for number, statement in enumerate(statements, 1):
            if statement.kind != "TransactionStmt":
                with suppress(RollbackError):
                    execute(connection, statement, number, len(statements))
                    worked.append(statement)
    return Ran(failure, step_by_step(worked))


def as_of_a_pair(text: str, path: Path) -> str:
    """A file as it could stand in a pair: one with several transactions, statement by statement."""
    try:
        script_of(text, path)
    except PairError:
        with suppress(PairError):
            return step_by_step(parse(text, path))
    return text


def step_by_step(statements: Sequence[Statement]) -> str:
    kept = [one for one in statements if one.kind != "TransactionStmt"]
    return "-- Transaction: none\n" + "".join(f"{one.text}\n;\n" for one in kept)


def told(error: Exception) -> str:
    """An error in a line."""
    if isinstance(error, RollbackError):
        place = f"line {error.where.line}: " if error.where and error.where.line else ""
        code = getattr(error, "sqlstate", None)
        return f"{place}{error.what}" + (f" ({code})" if code else "")
    if isinstance(error, DBAPIError):
        said = describe(error)
        return f"{said['message']} ({said['sqlstate']})"
    first = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {first}"
