"""An error as the lines a tired engineer needs: what, where, in what state, what next."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_rollback.errors import (
    FAILED,
    STOPPED_PART_WAY,
    RollbackError,
    StatementError,
    shown_path,
)
from alembic_rollback.model import StepFailure
from alembic_rollback.reporting.style import Style


def error_lines(error: BaseException, failure: StepFailure | None, style: Style) -> Iterator[str]:
    """The lines to print for an error that was raised on purpose or came out of a run."""
    if isinstance(error, StatementError):
        yield style.paint(f"error: {error.where}: {_told(error)}", "red")
        yield from (f"  {line}" for line in (error.detail, error.hint) if line)
    elif isinstance(error, RollbackError):
        where = f"{error.where}: " if error.where else ""
        rest = " ".join(part for part in (error.state, error.next_step) if part)
        yield style.paint(f"error: {where}{error.what}", "red") + (f" {rest}" if rest else "")
    elif failure:
        yield style.paint(f"error: {shown_path(failure.path)}: {failure.message}", "red")
    if failure:
        yield _state(failure)
        yield _next(failure)


def exit_code(error: BaseException, failure: StepFailure | None) -> int:
    """5 where something of the run stays in the database, else the error's own code."""
    if failure and (failure.committed or failure.partial):
        return STOPPED_PART_WAY
    return error.exit_code if isinstance(error, RollbackError) else FAILED


def _told(error: StatementError) -> str:
    code = f" ({error.sqlstate})" if error.sqlstate else ""
    return f"{error.what}{code}"


def _state(failure: StepFailure) -> str:
    if failure.external:
        return "The transaction is the caller's: nothing is undone until it rolls back."
    words = "applied" if failure.direction == "up" else "rolled back"
    parts = []
    if failure.committed:
        parts.append(f"{', '.join(failure.committed)} {words} and committed before it.")
    if failure.partial:
        number, total = failure.partial
        parts.append(
            f"{failure.title} is partial: it runs outside a transaction, and statements 1 to "
            f"{number - 1} of {total} have been executed."
        )
    elif failure.committed:
        parts.append(f"{failure.title} itself was undone.")
    return " ".join(parts) or "The database is unchanged: the whole transaction was undone."


def _next(failure: StepFailure) -> str:
    if failure.direction == "down":
        return f"Next: correct the down script, then `alembic rollback-db {failure.version}`."
    if failure.partial:
        return (
            f"Next: undo by hand what statements 1 to {failure.partial[0] - 1} did, correct the "
            "script, then `alembic upgrade` again."
        )
    if failure.committed:
        versions = " ".join(reversed(failure.committed))
        return (
            "Next: correct the script and run `alembic upgrade` again; or take back what this run "
            f"applied: `alembic rollback-db {versions}`."
        )
    return "Next: correct the script and run the upgrade again. Nothing is left to roll back."
