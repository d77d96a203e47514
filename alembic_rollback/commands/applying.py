"""What apply-db does: validate, apply, confirm; on failure clean up, try again, or escalate."""

from __future__ import annotations

import json
import logging
import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from alembic_rollback import escalation
from alembic_rollback.commands.pairs import generate_down, verify_down
from alembic_rollback.commands.rolling_back import rollback
from alembic_rollback.errors import (
    STOPPED_PART_WAY,
    Blocked,
    DatabaseError,
    PairError,
    RollbackError,
    UsageError,
)
from alembic_rollback.escalation import (
    Application,
    Applying,
    Attempt,
    Escalated,
    FailureReport,
    Seen,
)
from alembic_rollback.generation import Wish
from alembic_rollback.host import environment, failures
from alembic_rollback.host.configuration import settings_of
from alembic_rollback.host.environment import Key, Snapshot
from alembic_rollback.host.history import History, history_of
from alembic_rollback.host.retrying import (
    DEADLOCK,
    LOCK_TIMEOUT,
    SERIALIZATION_FAILURE,
    pauses,
)
from alembic_rollback.host.scripts import load_script, pair_of
from alembic_rollback.host.state import new_run
from alembic_rollback.model import GeneratedDown, Partial, Revision, StepFailure
from alembic_rollback.planning import Request, counted, steps_up
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
from alembic_rollback.settings import Settings, check_duration
from alembic_rollback.statuses import status_of
from alembic_rollback.verification.outcomes import NO_DOWN, NOT_VERIFIED

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection

    from alembic_rollback.pairs import Pair
    from alembic_rollback.verification import Judged, Verification

log = logging.getLogger("alembic.rollback")

Tell = Callable[[str], None]
"""Gets a line for each step as it has happened."""

UNTOUCHED = "Nothing was applied."
_PASSING = (LOCK_TIMEOUT, DEADLOCK, SERIALIZATION_FAILURE, "57P0", "08")
"""SQLSTATEs (PostgreSQL, Appendix A) after which the same thing may succeed: of locks, and of
connections that were lost (operator intervention, connection exceptions)."""


class Unverified(Blocked):
    """A down doesn't do what it should; what was seen on the scratch database comes along."""

    def __init__(self, verification: Verification, failed: Sequence[Judged]) -> None:
        self.verification = verification
        told = ", ".join(f"{one.revision.title} ({one.outcome})" for one in failed)
        versions = " ".join(one.revision.version for one in failed)
        super().__init__(
            f"On a scratch database it did not pass: {told}.",
            state=UNTOUCHED,
            next_step=f"Correct it; `alembic verify-down {versions}` tries it again. --no-verify "
            "applies it untried.",
        )


@dataclass(frozen=True)
class _Wanted:
    """What was asked for."""

    config: Config
    settings: Settings
    version: str
    generate: bool
    verify: bool
    retries: int
    scratch_url: str
    tag: str | None
    lock_wait: str
    dry_run: bool
    tell: Tell

    @property
    def command(self) -> str:
        """As it could be typed; without the URL, which may hold a password."""
        parts = ["alembic", "apply-db", "" if self.version == "head" else self.version]
        parts += ["--generate" if self.generate else "", "" if self.verify else "--no-verify"]
        parts += ["--tag", self.tag] if self.tag else []
        return shlex.join(part for part in parts if part)


@dataclass
class _Course:
    """How far it got."""

    target: str
    """What Alembic is told."""
    before: Mapping[Key, Seen]
    pending: Mapping[Key, tuple[Revision, ...]]
    history: History
    client: str | None
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def revisions(self) -> dict[str, Revision]:
        """The pending revisions of all databases by version, in order."""
        return {one.version: one for some in self.pending.values() for one in some}

    @property
    def resumed(self) -> set[str]:
        """Pending revisions that were partial before this run."""
        begun = (seen.partials.keys() for seen in self.before.values())
        return set().union(*begun) & self.revisions.keys()


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
    wanted = _Wanted(
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
    course = _look_ahead(wanted)
    if not course.revisions:
        wanted.tell("Nothing to apply.")
        return Application(_outcome(course, {}))
    _tell_pending(wanted, course)
    generated = _generate(wanted, course) if generate else []
    _validate(wanted, course, written=not dry_run, generated=generated)
    verification, why = _verified(wanted, course, generated) if verify else (None, "--no-verify")
    made = Application(_outcome(course, {}), tuple(generated), verification, why)
    if dry_run:
        wanted.tell("Dry run: nothing was applied.")
        return made
    with _lock_wait(wanted):
        after = _apply(wanted, course)
    attempts = len(course.attempts) + 1
    return replace(made, databases=_outcome(course, after), attempts=attempts, executed=True)


# Before anything runs


def _look_ahead(wanted: _Wanted) -> _Course:
    """What is pending in each database."""
    client = new_run().client
    found = environment.inspect(
        wanted.config, lambda snapshot, connection: (snapshot, _see(snapshot, connection, client))
    )
    history = found[0][0].history
    if wanted.version.startswith("+"):
        target = _relative(wanted.version, [snapshot for snapshot, _ in found])
        targets: tuple[str, ...] = (target,)
    else:
        targets = _targets(history, wanted.version)
        target = targets[0] if len(targets) == 1 else "heads"
    pending = {
        snapshot.key: tuple(
            history.revisions[version]
            for version in steps_up(snapshot.history.graph, targets, snapshot.applied)
            if version in history.revisions
        )
        for snapshot, _ in found
    }
    return _Course(target, {seen.key: seen for _, seen in found}, pending, history, client)


def _see(snapshot: Snapshot, connection: Connection, client: str | None, after: int = 0) -> Seen:
    return escalation.see(snapshot, connection, status_of(snapshot), client, after)


def _targets(history: History, version: str) -> tuple[str, ...]:
    heads = tuple(sorted(history.directory.get_heads()))
    if version == "heads" or (version == "head" and not heads):
        return heads
    if version == "head" and len(heads) > 1:
        raise UsageError(
            f"There are {len(heads)} heads: {', '.join(heads)}.",
            state=UNTOUCHED,
            next_step="`alembic apply-db heads` applies all of them; or name one.",
        )
    return (history.resolve(version),)


def _relative(version: str, snapshots: Sequence[Snapshot]) -> str:
    """`+N` as the revision that it ends at: another attempt must not count anew."""
    digits = version.removeprefix("+")
    if not digits.isdigit() or not int(digits):
        raise UsageError(f"{version!r} is not +N, with N from 1.")
    if len(snapshots) > 1:
        raise UsageError(
            f"{version} means another revision in each database.", next_step="Name the revision."
        )
    (snapshot,) = snapshots
    history, count = snapshot.history, int(digits)
    every = steps_up(history.graph, history.directory.get_heads(), snapshot.applied)
    if len(every) < count:
        raise UsageError(f"Only {counted(len(every), 'revision')} pending, not {count}.")
    if steps_up(history.graph, [every[count - 1]], snapshot.applied) != every[:count]:
        raise UsageError(
            f"The next {count} are on several branches.", next_step="Name the revision."
        )
    return every[count - 1]


def _tell_pending(wanted: _Wanted, course: _Course) -> None:
    for key, revisions in course.pending.items():
        seen = course.before[key]
        place = f" in {seen.database}" if len(course.pending) > 1 else ""
        wanted.tell(f"{counted(len(revisions), 'revision')} pending{place}:")
        for one in revisions:
            begun = seen.partials.get(one.version)
            wanted.tell(f"  {one.title}" + (f" (partial: {begun.shown})" if begun else ""))


def _pair(course: _Course, revision: Revision) -> Pair | None:
    return pair_of(course.history.script(revision.version))


def _generate(wanted: _Wanted, course: _Course) -> list[GeneratedDown]:
    """Write the missing downs. Raises Blocked where one has gaps; what was written stays."""
    pairs = [_pair(course, revision) for revision in course.revisions.values()]
    ups = [str(p.up) for p in pairs if p and p.down is None and not p.irreversible]
    if not ups:
        return []
    wish = Wish(scratch_url=wanted.scratch_url)
    found = generate_down(wanted.config, ups, write=not wanted.dry_run, wish=wish)
    for one in found:
        proof = f"proven on PostgreSQL {one.proven}" if one.proven else f"not proven: {one.doubt}"
        wanted.tell(f"{'Generated' if one.written else 'Would write'} {one.down.name} ({proof})")
    gaps = [f"{one.up.name}:{gap.line}: {gap.missing}" for one in found for gap in one.gaps]
    if gaps:
        raise Blocked(
            f"What cannot be undone: {'; '.join(gaps)}.",
            state=UNTOUCHED,
            next_step="Without --dry-run, what can be derived is written; then complete it."
            if wanted.dry_run
            else "Complete the downs that were written, and remove their `-- Irreversible:` "
            "lines; or keep those lines, and run it again.",
        )
    if any(one.written for one in found):
        course.history = history_of(environment.script_directory(wanted.config), downs=True)
    return found


def _validate(
    wanted: _Wanted, course: _Course, *, written: bool, generated: Sequence[GeneratedDown]
) -> None:
    """Both files of each pair are there and can be run."""
    pending = {one.version: _pair(course, one) for one in course.revisions.values()}
    pairs = [pair for pair in pending.values() if pair]
    promised = set() if written else {one.up for one in generated}
    missing = [p for p in pairs if p.down is None and not p.irreversible and p.up not in promised]
    if missing and wanted.settings.missing_down == "error":
        raise PairError(
            "; ".join(f"{pair.title} has no {pair.expected_down.name}" for pair in missing) + ".",
            where=missing[0].up,
            state=UNTOUCHED,
            next_step="`alembic apply-db --generate` writes what can be derived first.",
        )
    for pair in pairs:
        _parse(pair)
        if pair.irreversible:
            wanted.tell(f"{pair.title} is irreversible: {'; '.join(pair.irreversible)}")
    if pairs:
        noun = "pair" if len(pairs) == 1 else "pairs"
        wanted.tell(f"Validated {len(pairs)} {noun}: both files are there and can be run.")


def _parse(pair: Pair) -> None:
    for direction in ("up", "down"):
        if direction == "down" and pair.down is None:
            continue
        try:
            load_script(pair, direction)
        except RollbackError as error:
            error.state = error.state or UNTOUCHED
            raise


def _verified(
    wanted: _Wanted, course: _Course, generated: Sequence[GeneratedDown]
) -> tuple[Verification | None, str]:
    """Try the downs on a scratch database; or why that isn't possible. Raises Unverified."""
    unwritten = {one.up for one in generated if not one.written}
    versions = [v for v, one in course.revisions.items() if one.path not in unwritten]
    if not versions:
        return None, ""
    try:
        found = verify_down(wanted.config, versions, scratch_url=wanted.scratch_url)
    except (DatabaseError, OSError) as error:
        if wanted.scratch_url:  # it was named, so it is meant
            raise
        why = error.what if isinstance(error, RollbackError) else str(error)
        wanted.tell(f"not verified: {why}")
        return None, why
    lenient = {NOT_VERIFIED} | ({NO_DOWN} if wanted.settings.missing_down == "warn" else set())
    failed = [
        one
        for one in found.revisions
        if not one.passes(strict=False) and one.outcome not in lenient
    ]
    if failed:
        raise Unverified(found, failed)
    for line in _of_interest(found):
        wanted.tell(line)
    noun = "down" if found.verified == 1 else "downs"
    wanted.tell(f"Verified {found.verified} {noun} on PostgreSQL {found.server}.")
    return found, ""


def _of_interest(found: Verification) -> Iterator[str]:
    for one in found.revisions:
        if one.outcome == NOT_VERIFIED and one.trouble:
            yield f"not verified: {one.revision.title}: {one.trouble.message}"
        for loss in one.lost:
            yield f"{one.revision.title}: its down does not bring rows back: {loss.describe()}"


# Applying


@contextmanager
def _lock_wait(wanted: _Wanted) -> Iterator[None]:
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


def _apply(wanted: _Wanted, course: _Course) -> dict[Key, Seen]:
    """Apply, as often as it helps; return what was seen committed in the end."""
    for pause in pauses(wanted.retries):
        started, at = time.monotonic(), datetime.now(timezone.utc)
        try:
            return _attempt(wanted, course)
        except Exception as error:
            origin = _origin(error)
            if isinstance(origin, KeyboardInterrupt):
                _interrupted(wanted, course, error, origin)
                raise origin from None
            told = escalation.fault_of(origin, failures.failure_of(error))
            code = f"{told.sqlstate} " if told.sqlstate else ""
            seconds = time.monotonic() - started
            course.attempts.append(Attempt(at, seconds, f"{code}{told.message}"))
            left = _clean_up(wanted, course, error)
            if pause is None or left.not_undone or not _is_passing(error, origin):
                _escalate(wanted, course, error, left)
                raise
            number = len(course.attempts) + 1
            wanted.tell(
                f"{told.title or 'It'} failed: {told.message}. Attempt {number} of "
                f"{wanted.retries + 1} in {pause:.1f} s."
            )
            time.sleep(pause)
    raise AssertionError("there is always a last attempt")


def _attempt(wanted: _Wanted, course: _Course) -> dict[Key, Seen]:
    from alembic import command

    command.upgrade(wanted.config, course.target, tag=wanted.tag)
    after = _look_back(wanted, course)
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


def _look_back(wanted: _Wanted, course: _Course) -> dict[Key, Seen]:
    """What other connections see of it now."""

    def read(snapshot: Snapshot, connection: Connection) -> Seen:
        before = course.before.get(snapshot.key)
        return _see(snapshot, connection, course.client, before.last_id if before else 0)

    return {seen.key: seen for seen in environment.inspect(wanted.config, read)}


def _outcome(course: _Course, after: Mapping[Key, Seen]) -> tuple[Applying, ...]:
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


# When it fails


@dataclass(frozen=True)
class _Left:
    """What a failed attempt has left, and what was done about it."""

    undone: str = ""
    not_undone: str = ""


def _origin(error: BaseException) -> BaseException:
    """The error that SQLAlchemy's complaint about a broken transaction hides.

    Leaving an autocommit block on a connection that is gone, Alembic commits: that fails in turn.
    """
    from sqlalchemy.exc import PendingRollbackError

    found: BaseException | None = error
    while isinstance(found, PendingRollbackError) and found.__context__ is not None:
        found = found.__context__
    return found or error


def _interrupted(
    wanted: _Wanted, course: _Course, error: Exception, origin: KeyboardInterrupt
) -> None:
    """Put on an interrupt what is known of its step: nothing is undone nor tried again."""
    failure = failures.failure_of(error)
    if failure is None:
        return
    failure = replace(failure, message="KeyboardInterrupt")
    now = _as_it_is_now(course, failure, _look_back(wanted, course), _Left(), "")
    failures.attach(origin, now or failure)


def _clean_up(wanted: _Wanted, course: _Course, error: Exception) -> _Left:
    """Run the down of what a step outside a transaction has left, if this run has begun it."""
    failure = failures.failure_of(error)
    if failure is not None and failure.external:
        return _Left()
    try:
        now = _look_back(wanted, course)
    except Exception as second:
        log.warning("The database cannot be read: %s", _in_a_line(second))
        return _Left()
    left = _partials(course, now)
    if not left:
        return _Left()
    (version, partial), *_ = left.items()
    title = _title(course, version)
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
            why = _in_a_line(second)
    if why:
        wanted.tell(f"{title} is left partial ({partial.shown}).")
        return _Left(not_undone=why)
    wanted.tell(f"Undone by its down script: {title}, which had got to {partial.shown}.")
    return _Left(undone=title)


def _partials(course: _Course, now: Mapping[Key, Seen]) -> dict[str, Partial]:
    """What is partial of what should have been applied."""
    return {
        version: partial
        for seen in now.values()
        for version, partial in seen.partials.items()
        if version in course.revisions and version not in seen.applied
    }


def _why_not(course: _Course, now: Mapping[Key, Seen], version: str, partial: Partial) -> str:
    """Why the down must not be run without asking; empty where it may."""
    if version in course.resumed or partial.down:
        return "an earlier run had begun it."
    held = [seen.database for seen in now.values() if version in seen.applied]
    if held:
        return f"it is applied in {', '.join(held)}, where its down would run, too."
    return ""


def _title(course: _Course, version: str) -> str:
    revision = course.revisions.get(version)
    return revision.title if revision else version


def _in_a_line(error: BaseException) -> str:
    return escalation.fault_of(error, None).message


def _is_passing(error: BaseException, origin: BaseException) -> bool:
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


def _escalate(wanted: _Wanted, course: _Course, error: Exception, left: _Left) -> None:
    """Write the failure report, tell the on_failure command, and keep both with the error."""
    unread = ""
    try:
        seen = _look_back(wanted, course)
    except Exception as second:
        seen, unread = dict(course.before), _in_a_line(second)
    failure = _as_it_is_now(course, failures.failure_of(error), seen, left, unread)
    origin = _origin(error)
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
    course: _Course,
    failure: StepFailure | None,
    seen: Mapping[Key, Seen],
    left: _Left,
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
    wanted: _Wanted,
    course: _Course,
    error: BaseException,
    failure: StepFailure | None,
    databases: tuple[Seen, ...],
    left: _Left,
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


def _written(wanted: _Wanted, report: FailureReport) -> Path | None:
    directory = directory_of(wanted.config) / wanted.settings.failure_directory
    data = json.dumps(failure_data(report), indent=2, default=str) + "\n"
    try:
        return escalation.write(report, directory, report_text(report), data)
    except OSError as error:
        log.warning("The failure report could not be written: %s", error)
        return None
