"""After a failed attempt: what it left is undone, it is tried again, or somebody is told."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from alembic_rollback import escalation
from alembic_rollback.commands.rolling_back import rollback
from alembic_rollback.errors import (
    STOPPED_PART_WAY,
    RollbackError,
)
from alembic_rollback.escalation import (
    Escalated,
    FailureReport,
    Seen,
)
from alembic_rollback.host import failures
from alembic_rollback.host.retrying import (
    DEADLOCK,
    LOCK_TIMEOUT,
    SERIALIZATION_FAILURE,
)
from alembic_rollback.planning import Request
from alembic_rollback.preflight import directory_of
from alembic_rollback.reporting.applying import (
    failed_lines,
    failure_data,
    next_after,
    report_text,
    state_after,
)
from alembic_rollback.reporting.errors import exit_code
from alembic_rollback.reporting.style import Style

if TYPE_CHECKING:
    from alembic_rollback.host.environment import Key
    from alembic_rollback.model import Partial, StepFailure

from alembic_rollback.commands.applying.course import Course, Wanted, look_back, title_of

log = logging.getLogger("alembic.rollback")

_PASSING = (LOCK_TIMEOUT, DEADLOCK, SERIALIZATION_FAILURE, "57P0", "08")
"""SQLSTATEs (PostgreSQL, Appendix A) after which the same thing may succeed: of locks, and of
connections that were lost (operator intervention, connection exceptions)."""


@dataclass(frozen=True)
class Left:
    """What a failed attempt has left, and what was done about it."""

    undone: str = ""
    not_undone: str = ""


def interrupted(
    wanted: Wanted, course: Course, error: Exception, origin: KeyboardInterrupt
) -> None:
    """Put on an interrupt what is known of its step: nothing is undone nor tried again."""
    failure = failures.failure_of(error)
    if failure is None:
        return
    failure = replace(failure, message="KeyboardInterrupt")
    now = _as_it_is_now(course, failure, look_back(wanted, course), Left(), "")
    failures.attach(origin, now or failure)


def clean_up(wanted: Wanted, course: Course, error: Exception) -> Left:
    """Run the down of what a step outside a transaction has left, if this run has begun it."""
    failure = failures.failure_of(error)
    if failure is not None and failure.external:
        return Left()
    try:
        now = look_back(wanted, course)
    except Exception as second:
        log.warning("The database cannot be read: %s", in_a_line(second))
        return Left()
    left = _partials(course, now)
    if not left:
        return Left()
    (version, partial), *_ = left.items()
    title = title_of(course, version)
    why = _why_not(course, now, version, partial)
    if not why:
        try:
            rollback(
                wanted.config,
                Request(versions=(version,)),
                retries=wanted.retries,
                lock_wait=wanted.lock_wait,
            )
        except Exception as second:
            why = in_a_line(second)
    if why:
        wanted.tell(f"{title} is left partial ({partial.shown}).")
        return Left(not_undone=why)
    wanted.tell(f"Undone by its down script: {title}, which had got to {partial.shown}.")
    return Left(undone=title)


def _partials(course: Course, now: Mapping[Key, Seen]) -> dict[str, Partial]:
    """What is partial of what should have been applied."""
    return {
        version: partial
        for seen in now.values()
        for version, partial in seen.partials.items()
        if version in course.revisions and version not in seen.applied
    }


def _why_not(course: Course, now: Mapping[Key, Seen], version: str, partial: Partial) -> str:
    """Why the down must not be run without asking; empty where it may."""
    if version in course.resumed or partial.down:
        return "an earlier run had begun it."
    held = [seen.database for seen in now.values() if version in seen.applied]
    if held:
        return f"it is applied in {', '.join(held)}, where its down would run, too."
    return ""


def in_a_line(error: BaseException) -> str:
    """What an error says, without what the server adds."""
    return escalation.fault_of(error, None).message


def is_passing(error: BaseException, origin: BaseException) -> bool:
    """Whether the same thing may succeed a moment later."""
    from sqlalchemy.exc import DBAPIError, OperationalError

    failure = failures.failure_of(error)
    if failure is not None and failure.external:
        return False
    driver = origin if isinstance(origin, DBAPIError) else origin.__cause__
    if isinstance(driver, DBAPIError) and driver.connection_invalidated:
        return True
    if isinstance(driver, OperationalError) and driver.statement is None:
        return True  # it could be connected to when the run began
    code = escalation.fault_of(origin, failure).sqlstate or ""
    return code.startswith(_PASSING)


def escalate(wanted: Wanted, course: Course, error: Exception, left: Left) -> None:
    """Write the failure report, tell the on_failure command, and keep both with the error."""
    unread = ""
    try:
        seen = look_back(wanted, course)
    except Exception as second:
        seen, unread = dict(course.before), in_a_line(second)
    failure = _as_it_is_now(course, failures.failure_of(error), seen, left, unread)
    origin = failures.origin_of(error)
    report = _report(wanted, course, origin, failure, tuple(seen.values()), left, unread)
    path = _written(wanted, report)
    if wanted.settings.on_failure:
        told = json.dumps(failure_data(report), indent=2, default=str)
        wrong = escalation.notify(wanted.settings.on_failure, told, directory_of(wanted.config))
        if wrong:
            log.warning("on_failure: %s.", wrong)
    code = exit_code(origin, failure)
    if any(one.applied_by_us for one in seen.values()) and not unread:
        code = STOPPED_PART_WAY
    expected = isinstance(origin, RollbackError) or hasattr(origin, "orig")
    escalation.attach(error, Escalated(report, code, path, expected=expected))


def _as_it_is_now(
    course: Course,
    failure: StepFailure | None,
    seen: Mapping[Key, Seen],
    left: Left,
    unread: str,
) -> StepFailure | None:
    """The failure with what stays after all attempts, as the databases say."""
    if failure is None or unread or failure.external:
        return failure
    committed = dict.fromkeys(v for one in seen.values() for v in one.applied_by_us)
    partial = _partials(course, seen).get(failure.version)
    return replace(
        failure,
        committed=tuple(committed),
        partial=partial,
        outside=failure.outside and not left.undone,
        earlier=False,
    )


def _report(
    wanted: Wanted,
    course: Course,
    error: BaseException,
    failure: StepFailure | None,
    databases: tuple[Seen, ...],
    left: Left,
    unread: str,
) -> FailureReport:
    fault = escalation.fault_of(error, failure)
    state = state_after(failure, error, databases, undone=left.undone, unread=unread)
    lines = failed_lines(error, failure, fault, Style(), state=state, not_undone=left.not_undone)
    stays = dict.fromkeys(version for one in databases for version in one.applied_by_us)
    back = [version for version in reversed(stays) if not unread]
    if failure and failure.partial:
        back.insert(0, failure.version)
    commands = ["alembic migration-status", wanted.command]
    if back:
        commands.append(f"alembic rollback-db {' '.join(back)}")
    return FailureReport(
        at=datetime.now(timezone.utc),
        command=wanted.command,
        target=course.target,
        fault=fault,
        attempts=tuple(course.attempts),
        lines=tuple(lines),
        state=state,
        next=next_after(failure, error),
        commands=tuple(commands),
        databases=databases,
        undone=left.undone,
        not_undone=left.not_undone,
        unread=unread,
        versions=escalation.used_versions(),
    )


def _written(wanted: Wanted, report: FailureReport) -> Path | None:
    directory = directory_of(wanted.config) / wanted.settings.failure_directory
    data = json.dumps(failure_data(report), indent=2, default=str) + "\n"
    try:
        return escalation.write(report, directory, report_text(report), data)
    except OSError as error:
        log.warning("The failure report could not be written: %s", error)
        return None
