"""The course of apply-db: what is pending is validated, applied, and seen committed."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from alembic_rollback import escalation
from alembic_rollback.errors import (
    RollbackError,
)
from alembic_rollback.escalation import (
    Application,
    Applying,
    Attempt,
    Seen,
)
from alembic_rollback.host import failures
from alembic_rollback.host.configuration import settings_of
from alembic_rollback.host.retrying import (
    pauses,
)
from alembic_rollback.settings import check_duration

if TYPE_CHECKING:
    from alembic.config import Config

    from alembic_rollback.host.environment import Key
    from alembic_rollback.model import Revision


from alembic_rollback.commands.applying.course import (
    Course,
    Tell,
    Wanted,
    look_ahead,
    look_back,
    tell_pending,
)
from alembic_rollback.commands.applying.failing import (
    clean_up,
    escalate,
    interrupted,
    is_passing,
)
from alembic_rollback.commands.applying.validating import (
    validate,
    verified,
    write_missing,
)

log = logging.getLogger("alembic.rollback")


def apply(
    config: Config,
    version: str = "head",
    *,
    generate: bool = False,
    verify: bool = True,
    retries: int | None = None,
    scratch_url: str = "",
    tag: str | None = None,
    lock_wait: str = "",
    dry_run: bool = False,
    tell: Tell | None = None,
) -> Application:
    """Validate what is pending up to a version, apply it, and say what came of it.

    version: as for `alembic upgrade`. generate: write missing downs first. verify: try the downs
    on a scratch database where one can be had. retries: after errors that pass; the setting's if
    None. dry_run: validate only. Raises Blocked or PairError where nothing is applied because
    something isn't as it should be (Unverified for downs). What fails while applying is raised as
    it was, with `escalation.escalated_of` it: what a step outside a transaction had left was undone
    if that could be, the failure report is written and the on_failure command has been told.
    """
    settings = settings_of(config)
    wanted = Wanted(
        config,
        settings,
        version,
        generate,
        verify,
        settings.retries if retries is None else retries,
        scratch_url or settings.scratch_url,
        tag,
        check_duration("--lock-wait", lock_wait) if lock_wait else "",
        dry_run,
        tell or (lambda line: None),
    )
    course = look_ahead(wanted)
    if not course.revisions:
        wanted.tell("Nothing to apply.")
        return Application(_outcome(course, {}))
    tell_pending(wanted, course)
    generated = write_missing(wanted, course) if generate else []
    validate(wanted, course, written=not dry_run, generated=generated)
    verification, why = verified(wanted, course, generated) if verify else (None, "--no-verify")
    made = Application(_outcome(course, {}), tuple(generated), verification, why)
    if dry_run:
        wanted.tell("Dry run: nothing was applied.")
        return made
    with _lock_wait(wanted):
        after = _apply(wanted, course)
    attempts = len(course.attempts) + 1
    return replace(made, databases=_outcome(course, after), attempts=attempts, executed=True)


@contextmanager
def _lock_wait(wanted: Wanted) -> Iterator[None]:
    """Let Alembic's own command wait for another runner as long as was asked for."""
    attributes, name = wanted.config.attributes, "alembic_rollback_lock_wait"
    if not wanted.lock_wait:
        yield
        return
    was = attributes.get(name)
    attributes[name] = wanted.lock_wait
    try:
        yield
    finally:
        attributes.pop(name)
        if was is not None:
            attributes[name] = was


def _apply(wanted: Wanted, course: Course) -> dict[Key, Seen]:
    """Apply, as often as it helps; return what was seen committed in the end."""
    for pause in pauses(wanted.retries):
        started, at = time.monotonic(), datetime.now(timezone.utc)
        try:
            return _attempt(wanted, course)
        except Exception as error:
            origin = failures.origin_of(error)
            if isinstance(origin, KeyboardInterrupt):
                interrupted(wanted, course, error, origin)
                raise origin from None
            told = escalation.fault_of(origin, failures.failure_of(error))
            code = f"{told.sqlstate} " if told.sqlstate else ""
            seconds = time.monotonic() - started
            course.attempts.append(Attempt(at, seconds, f"{code}{told.message}"))
            left = clean_up(wanted, course, error)
            if pause is None or left.not_undone or not is_passing(error, origin):
                escalate(wanted, course, error, left)
                raise
            number = len(course.attempts) + 1
            wanted.tell(
                f"{told.title or 'It'} failed: {told.message}. Attempt {number} of "
                f"{wanted.retries + 1} in {pause:.1f} s."
            )
            time.sleep(pause)
    raise AssertionError("there is always a last attempt")


def _attempt(wanted: Wanted, course: Course) -> dict[Key, Seen]:
    from alembic import command

    command.upgrade(wanted.config, course.target, tag=wanted.tag)
    after = look_back(wanted, course)
    for key, revisions in course.pending.items():
        seen = after.get(key)
        missing = [one.title for one in revisions if not seen or one.version not in seen.applied]
        if missing:
            raise RollbackError(
                f"The upgrade ran, but {', '.join(missing)} was not committed.",
                next_step="env.py must run context.run_migrations() inside "
                "`with context.begin_transaction():`; `alembic migration-status` shows the state.",
            )
    for one in _outcome(course, after):
        place = f" in {one.database}" if len(after) > 1 else ""
        for revision in one.pending:
            others = " was applied by another runner" if revision.version in one.by_others else ""
            told = f"{revision.title}{others}" if others else f"Applied {revision.title}"
            wanted.tell(f"{told}{place}")
    return after


def _outcome(course: Course, after: Mapping[Key, Seen]) -> tuple[Applying, ...]:
    return tuple(
        _applying(course.before[key], revisions, after.get(key))
        for key, revisions in course.pending.items()
    )


def _applying(before: Seen, revisions: tuple[Revision, ...], after: Seen | None) -> Applying:
    pending = [one.version for one in revisions]
    resumed = tuple(version for version in pending if version in before.partials)
    found = Applying(before.database, revisions, resumed)
    if after is None:
        return found
    # Without a log (a project without pairs beside a foreign ledger) nobody can tell whose it is.
    ours = after.applied_by_us if after.rows else tuple(pending)
    rows = (row for row in after.ours if row.outcome == "applied")
    return replace(
        found,
        applied=tuple(version for version in pending if version in ours),
        by_others=tuple(v for v in pending if v in after.applied and v not in ours),
        run_ids=after.run_ids,
        durations={row.version: row.duration_ms for row in rows if row.duration_ms is not None},
    )
