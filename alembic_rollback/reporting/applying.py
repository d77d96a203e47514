"""apply-db: its result and its failure, as lines, as a text file and as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from alembic_rollback.errors import RollbackError
from alembic_rollback.reporting.data import status_data
from alembic_rollback.reporting.errors import error_lines, next_step_of, state_of
from alembic_rollback.reporting.style import Style
from alembic_rollback.reporting.text import status_lines
from alembic_rollback.reporting.verification import verification_data, verification_lines

if TYPE_CHECKING:
    from alembic_rollback.escalation import (
        Application,
        Applying,
        Escalated,
        FailureReport,
        Fault,
        Seen,
    )
    from alembic_rollback.model import LogRow, StepFailure
    from alembic_rollback.verification import Verification

_PLAIN = Style()


# What went well

_COMMAND = "alembic apply-db"


def detail_lines(found: Application, style: Style) -> Iterator[str]:
    """What --verbose adds: how each down fared, how long each revision took."""
    if found.verification:
        yield from verification_lines(found.verification, style, strict=False)
    for one in found.databases:
        for version, elapsed in (one.durations or {}).items():
            yield f"{version} took {elapsed} ms"


def application_data(found: Application) -> dict[str, Any]:
    """apply-db --json. Keys are stable; new ones may be added."""
    verification = found.verification
    return {
        "executed": found.executed,
        "attempts": found.attempts,
        "generated": [str(one.down) for one in found.generated],
        "verification": verification_data(verification, strict=False) if verification else None,
        "not_verified": found.unverified or None,
        "databases": [_applying(one) for one in found.databases],
        "failure": None,
        "report": None,
    }


def blocked_data(error: RollbackError, verification: Verification | None) -> dict[str, Any]:
    """The same where nothing was applied because something isn't as it should be."""
    return {
        "executed": False,
        "verification": verification_data(verification, strict=False) if verification else None,
        "error": str(error),
    }


def failed_data(escalated: Escalated) -> dict[str, Any]:
    """The same where it failed while applying."""
    return {
        "executed": True,
        "failure": failure_data(escalated.report),
        "report": str(escalated.path) if escalated.path else None,
    }


def _applying(one: Applying) -> dict[str, Any]:
    return {
        "database": one.database,
        "pending": [revision.version for revision in one.pending],
        "resumed": list(one.resumed),
        "applied": list(one.applied),
        "applied_by_others": list(one.by_others),
        "run_ids": list(one.run_ids),
    }


# What did not


def state_after(
    failure: StepFailure | None,
    error: BaseException,
    databases: Sequence[Seen],
    *,
    undone: str,
    unread: str,
) -> str:
    """Where the databases are now, in a sentence or two."""
    if unread:
        return f"The database could not be read afterwards ({unread}): its state is not known."
    if len(databases) > 1:
        return " ".join(_in_each(failure, databases, undone))
    if undone and failure:
        before = f"{_before(failure)} " if failure.committed else ""
        return f"{before}{_undone(undone)}"
    if failure:
        return state_of(failure)
    if any(one.applied_by_us for one in databases):
        return f"Applied and committed before: {', '.join(databases[0].applied_by_us)}."
    said = error.state if isinstance(error, RollbackError) else None
    return said or "Nothing of this run was committed."


def _before(failure: StepFailure) -> str:
    noun = "Revision" if len(failure.committed) == 1 else "Revisions"
    return f"{noun} {', '.join(failure.committed)} applied and committed before it."


def _undone(title: str) -> str:
    return f"What {title} had done was undone by its down script: nothing of it is left."


def _in_each(failure: StepFailure | None, databases: Sequence[Seen], undone: str) -> Iterator[str]:
    for one in databases:
        yield f"In {one.database}, {', '.join(one.applied_by_us) or 'nothing'} was applied."
    if undone:
        yield _undone(undone)
    elif failure and failure.partial:
        yield f"{failure.title} is partial ({failure.partial.shown})."


def next_after(failure: StepFailure | None, error: BaseException) -> str:
    """What to do about it."""
    if isinstance(error, RollbackError) and error.next_step:
        return error.next_step
    if failure:
        return next_step_of(failure, _COMMAND)
    return "Next: `alembic migration-status` shows the state."


def failed_lines(
    error: BaseException,
    failure: StepFailure | None,
    fault: Fault,
    style: Style,
    *,
    state: str,
    not_undone: str,
) -> Iterator[str]:
    """The error as `alembic upgrade` prints it, with what apply-db has done about it."""
    lines = list(error_lines(error, failure, style, command=_COMMAND))
    if not lines:
        code = f" ({fault.sqlstate})" if fault.sqlstate else ""
        lines = [style.paint(f"error: {fault.message}{code}", "red"), state]
        lines.append(next_after(failure, error))
    usual = state_of(failure) if failure else None
    for line in lines:
        yield state if line == usual else line
        if line == usual and not_undone:
            yield f"It was not undone: {not_undone}"


def failure_data(report: FailureReport) -> dict[str, Any]:
    """The failure report as data. Keys are stable; new ones may be added."""
    fault = report.fault
    return {
        "at": report.at.isoformat(),
        "command": report.command,
        "target": report.target,
        "revision": fault.version or None,
        "title": fault.title or None,
        "direction": fault.direction or None,
        "where": str(fault.where) if fault.where else None,
        "statement_number": fault.statement_number,
        "statement_total": fault.statement_total,
        "statement": fault.statement,
        "sqlstate": fault.sqlstate,
        "message": fault.message,
        "detail": fault.detail,
        "hint": fault.hint,
        "attempts": [
            {"at": one.at.isoformat(), "seconds": round(one.seconds, 3), "error": one.error}
            for one in report.attempts
        ],
        "undone": report.undone or None,
        "not_undone": report.not_undone or None,
        "state": report.state,
        "next": report.next,
        "commands": list(report.commands),
        "printed": list(report.lines),
        "unread": report.unread or None,
        "databases": [_seen(one) for one in report.databases],
        "versions": dict(report.versions or {}),
    }


def _seen(one: Seen) -> dict[str, Any]:
    (status,) = status_data([one.status])["databases"]
    place = one.place
    return {
        "database": one.database,
        "host": place.host,
        "port": place.port,
        "user": place.user,
        "server": place.server,
        "run_ids": list(one.run_ids),
        "applied_in_this_run": list(one.applied_by_us),
        "partial": {version: partial.shown for version, partial in one.partials.items()},
        "revisions": [_short(revision) for revision in status["revisions"]],
        "log": [_row(row) for row in one.rows],
    }


def _short(revision: dict[str, Any]) -> dict[str, Any]:
    return {key: revision[key] for key in ("version", "name", "state", "problems")}


def _row(row: LogRow) -> dict[str, Any]:
    return {**row._asdict(), "at": row.at.isoformat()}


def report_text(report: FailureReport) -> str:
    """The failure report for a person."""
    return "\n".join(_report_lines(report)) + "\n"


def _report_lines(report: FailureReport) -> Iterator[str]:
    yield f"{report.command} failed at {report.at.isoformat(timespec='seconds')}"
    yield ""
    yield from report.lines
    if report.fault.statement:
        number = report.fault.statement_number
        of = f" {number} of {report.fault.statement_total}" if number else ""
        yield ""
        yield f"Statement{of}:"
        yield from (f"  {line}" for line in report.fault.statement.splitlines())
    yield ""
    yield "State: " + report.state
    yield "What can be typed now:"
    yield from (f"  {command}" for command in report.commands)
    yield ""
    yield "Attempts:"
    for one in report.attempts:
        yield f"  {one.at.isoformat(timespec='seconds')} ({one.seconds:.1f} s): {one.error}"
    for seen in report.databases:
        yield ""
        yield from _database_lines(seen, before=bool(report.unread))
    yield ""
    yield ", ".join(f"{name} {number}" for name, number in (report.versions or {}).items())


def _database_lines(seen: Seen, *, before: bool) -> Iterator[str]:
    place = seen.place
    when = " (as it was before the run)" if before else ""
    yield (
        f"Database {seen.database} on {place.host}:{place.port} as {place.user}, "
        f"PostgreSQL {place.server}{when}"
    )
    yield f"  runs: {', '.join(seen.run_ids) or 'none'}"
    yield f"  applied in this run: {', '.join(seen.applied_by_us) or 'nothing'}"
    yield from (f"  {line}" for line in status_lines([seen.status], _PLAIN, verbose=False))
    if seen.rows:
        yield "  the last rows of the log, the newest first:"
    for row in seen.rows:
        yield f"    {_row_line(row)}"


def _row_line(row: LogRow) -> str:
    at = row.at.isoformat(timespec="seconds")
    of = f", statement {row.statement_number}" if row.statement_number else ""
    told = f": {' '.join(row.error.split())}" if row.error else ""
    return f"{at} {row.version} {row.direction} {row.outcome}{of}{told}"
