"""An error as the lines a tired engineer needs: what, where, in what state, what next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from alembic_rollback.errors import (
    FAILED,
    STOPPED_PART_WAY,
    RollbackError,
    StatementError,
    shown_path,
)

if TYPE_CHECKING:
    from alembic_rollback.model import StepFailure
    from alembic_rollback.reporting.style import Style

# Lock and statement timeouts, deadlocks, serialization failures, lost connections: Appendix A.
_TRANSIENT = ("55P03", "57014", "57P0", "40P01", "40001", "08")


UPGRADE = "alembic upgrade"


def error_lines(
    error: BaseException, failure: StepFailure | None, style: Style, *, command: str = UPGRADE
) -> Iterator[str]:
    """The lines to print for an error that was raised on purpose or came out of a run.

    command: what applies revisions, to be typed again.
    """
    if isinstance(error, StatementError):
        yield style.paint(f"error: {error.where}: {_told(error)}", "red")
        yield from (f"  {line}" for line in (error.detail, error.hint) if line)
    elif isinstance(error, RollbackError):
        where = f"{error.where}: " if error.where else ""
        state = None if failure else error.state
        rest = " ".join(part for part in (state, error.next_step) if part)
        yield style.paint(f"error: {where}{error.what}", "red") + (f" {rest}" if rest else "")
    elif isinstance(error, KeyboardInterrupt) and failure:
        yield style.paint(f"error: Interrupted in {shown_path(failure.path)}.", "red")
    elif failure:
        yield style.paint(f"error: {shown_path(failure.path)}: {failure.message}", "red")
    if failure:
        yield state_of(failure)
        if isinstance(error, StatementError) or not isinstance(error, RollbackError):
            yield next_step_of(failure, command)


def exit_code(error: BaseException, failure: StepFailure | None) -> int:
    """5 where something of the run stays in the database, else the error's own code."""
    if failure and (failure.committed or failure.partial or failure.earlier):
        return STOPPED_PART_WAY
    return error.exit_code if isinstance(error, RollbackError) else FAILED


def _told(error: StatementError) -> str:
    code = f" ({error.sqlstate})" if error.sqlstate else ""
    return f"{error.what}{code}"


def state_of(failure: StepFailure) -> str:
    """Where the database is after a failed step, in a sentence or two."""
    if failure.external:
        return (
            "The transaction was begun by env.py or its caller: nothing of it stays unless they "
            "commit it. `alembic migration-status` shows the state."
        )
    if not failure.recorded:
        return (
            "What had not been committed is undone; what had been could not be asked: "
            "`alembic migration-status` shows the state."
        )
    words = "applied" if failure.direction == "up" else "rolled back"
    parts = []
    if failure.committed:
        noun = "Revision" if len(failure.committed) == 1 else "Revisions"
        parts.append(f"{noun} {', '.join(failure.committed)} {words} and committed before it.")
    if failure.partial:
        parts.append(f"{failure.title} is partial ({failure.partial.shown}): {_done(failure)}")
    elif failure.committed:
        parts.append(f"{failure.title} itself was undone.")
    if failure.earlier:
        parts.append(
            "Its transaction was undone; but env.py had run steps on another database or schema "
            "before: `alembic migration-status` shows what stays there."
        )
    if not parts and failure.outside:
        return f"Nothing of {failure.title} was executed in this attempt."
    return " ".join(parts) or "The database is unchanged: the whole transaction was undone."


def _done(failure: StepFailure) -> str:
    assert failure.partial is not None
    done = sorted(failure.partial.progress.done)
    if not done:
        return "what it left behind is cleared away when it goes on."
    shown = "statement 1" if done == [1] else f"{len(done)} statements"
    return f"{shown} had been executed outside a transaction, and what was done stays."


def next_step_of(failure: StepFailure, command: str = UPGRADE) -> str:
    """What to do after a failed step. command: what applies revisions, to be typed again."""
    if failure.partial:
        return _next_of_partial(failure, command)
    if failure.message.startswith("KeyboardInterrupt"):
        return "Next: run the command again."
    if failure.lost or failure.message.startswith(_TRANSIENT):
        return "Next: run the command again; the script is not at fault."
    if failure.direction == "down":
        return f"Next: correct the down script, then `alembic rollback-db {failure.version}`."
    if failure.committed:
        versions = " ".join(reversed(failure.committed))
        return (
            f"Next: correct the script and run `{command}` again; or take back what this run "
            f"applied: `alembic rollback-db {versions}`."
        )
    again = "the upgrade again" if command == UPGRADE else f"`{command}` again"
    if failure.outside:
        return f"Next: correct the script and run {again}."
    return f"Next: correct the script and run {again}. Nothing is left to roll back."


def _next_of_partial(failure: StepFailure, command: str) -> str:
    assert failure.partial is not None
    undo = f"`alembic rollback-db {failure.version}`"
    passing = failure.lost or failure.message.startswith(_TRANSIENT)
    correct = "" if passing else "correct the script and "
    from_there = "it goes on from there" if failure.partial.progress.total else "it runs again"
    if failure.direction == "down":
        return f"Next: {correct}run {undo}: {from_there}."
    return f"Next: {correct}run `{command}` again: {from_there}; or undo it: {undo}."
