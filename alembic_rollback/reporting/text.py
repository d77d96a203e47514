"""Results as text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from alembic_rollback.errors import shown_path
from alembic_rollback.sql.names import quote_identifier

if TYPE_CHECKING:
    from alembic_rollback.model import (
        Affected,
        GeneratedDown,
        Impact,
        KeptRows,
        RevisionStatus,
        Rollback,
        Status,
        StepImpact,
    )
    from alembic_rollback.reporting.style import Style

SCREEN, CHECKS = 20, 6
"""How many lines of losses, and how many findings, are shown without --verbose."""
_TOLD_ABOVE = ("data_loss", "connected_tables")
WORD = "ROLLBACK"
"""What must be typed to confirm."""


def status_lines(statuses: Sequence[Status], style: Style, *, verbose: bool) -> Iterator[str]:
    """migration-status: one line a revision, oldest first, then the counts."""
    for status in statuses:
        if len(statuses) > 1:
            yield style.paint(f"Database {status.database}", "bold")
        for revision in status.revisions:
            yield _status_line(revision, status.now, style)
            if verbose:
                yield from _details(revision, style)
            elif revision.failure:
                yield f"   {_failure(revision)}"
        yield from status.notes
        yield _counts(status)


def _status_line(revision: RevisionStatus, now: datetime, style: Style) -> str:
    sign = style.sign("warning" if revision.partial else revision.state)
    state = revision.state
    if revision.applied and revision.applied_at:
        state = f"applied {ago(now - revision.applied_at)}"
    elif revision.partial:
        words = "" if revision.partial.direction == "up" else "rollback, "
        state = f"partial, {words}{revision.partial.shown}"
    line = f"{sign} {revision.version} {revision.name}".rstrip() + f" ({state})"
    for problem in revision.problems:
        line += " " + style.paint(f"{style.sign('warning')} {problem}", "yellow")
    if revision.irreversible:
        line += " " + style.paint("irreversible", "dim")
    return line


def _details(revision: RevisionStatus, style: Style) -> Iterator[str]:
    details = []
    if revision.applied_at:
        details.append(f"applied at {revision.applied_at.isoformat(timespec='seconds')}")
    if revision.execution_time_ms is not None:
        details.append(f"{revision.execution_time_ms} ms")
    if revision.checksum:
        details.append(f"checksum {revision.checksum}")
    if revision.path:
        details.append(shown_path(revision.path))
    yield from (style.paint(f"   {detail}", "dim") for detail in details)
    yield from (f"   irreversible: {reason}" for reason in revision.irreversible)
    if revision.failure:
        yield f"   {_failure(revision)}"


def _failure(revision: RevisionStatus) -> str:
    failure = revision.failure
    assert failure is not None
    words = "upgrade" if failure.direction == "up" else "rollback"
    return f"last {words} failed at {failure.at.isoformat(timespec='seconds')}: {failure.error}"


def _counts(status: Status) -> str:
    counts = [f"{status.applied} applied", f"{status.pending} pending"]
    if status.partial:
        counts.append(f"{status.partial} partial")
    problems = [problem for revision in status.revisions for problem in revision.problems]
    counts += [f"{problems.count(kind)} {kind}" for kind in dict.fromkeys(problems)]
    return ", ".join(counts)


def ago(passed: timedelta) -> str:
    """`2 hours ago`; `just now` below a minute."""
    seconds = int(passed.total_seconds())
    units = (("year", 31_536_000), ("month", 2_592_000), ("day", 86_400), ("hour", 3600))
    for unit, length in (*units, ("minute", 60)):
        if seconds >= length:
            number = seconds // length
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return "just now"


def warning_lines(
    rollbacks: Sequence[Rollback], style: Style, *, verbose: bool = False
) -> Iterator[str]:
    """What is shown before anything runs, and before the word is typed."""
    several = len(rollbacks) > 1
    yield style.paint(f"{style.sign('warning')} WARNING: {_title(rollbacks)}", "red")
    for one in (one for one in rollbacks if one.plan.steps):
        yield ""
        yield from _subject(one, "You are about to rollback", several=several)
        yield ""
        yield from _notes(one)
        yield "This will:"
        yield from _losses(one, verbose=verbose)
        yield from _later(one)
        yield from _checks(one, verbose=verbose)
    yield ""
    if any(one.impact.destructive for one in rollbacks):
        yield style.paint(undoing(rollbacks), "bold")
        yield ""


def undoing(rollbacks: Sequence[Rollback]) -> str:
    """Whether what is destroyed can be had again, in a sentence or two."""
    kept = [one for one in rollbacks if one.archive]
    if not kept:
        return "This action is DESTRUCTIVE and cannot be undone without backup."
    but = ""
    if any(step.unknown for one in rollbacks for step in one.impact.steps):
        but = " What is said above to be unknown is not kept."
    return (
        f"The rows and values that it takes are kept in the schema {kept[0].archive}: once the "
        f"revision is applied again, `alembic restore-db` puts them back.{but}"
    )


def plan_lines(
    rollbacks: Sequence[Rollback], style: Style, *, confirm: str, verbose: bool = False
) -> Iterator[str]:
    """What --dry-run shows: the same, and nothing runs. confirm: the hash to run it with."""
    for one in rollbacks:
        if not one.plan.steps:
            yield _nothing(one, several=len(rollbacks) > 1)
            continue
        yield from _subject(one, "Would roll back", several=len(rollbacks) > 1)
        yield ""
        yield from _notes(one)
        yield "This would:"
        yield from _losses(one, verbose=verbose)
        yield from _later(one)
        yield from _checks(one, verbose=verbose)
        yield ""
        yield from _transaction(one.impact)
        if one.archive and one.impact.destructive:
            yield undoing([one])
    if any(one.plan.steps for one in rollbacks):
        yield f"To run exactly this: --confirm {confirm}"
    yield "Dry run: nothing was changed."


def done_lines(
    rollbacks: Sequence[Rollback], shown: Sequence[Rollback], style: Style
) -> Iterator[str]:
    """What is said after the commit was seen; also where it isn't what was shown before."""
    before = {(one.database, step) for one in shown for step in one.impact.steps}
    for one in rollbacks:
        if not one.plan.steps:
            yield _nothing(one, several=len(rollbacks) > 1)
        place = f" in {one.database}" if len(rollbacks) > 1 else ""
        for step in one.plan.steps:
            yield f"{style.sign('applied')} Rolled back {step.title}{place}"
        for version, what in one.kept:
            yield f"   Kept of {version}: {what}. `alembic restore-db {version}` puts it back."
        if one.backup:
            yield f"   The rows are in {shown_path(one.backup)}; pg_restore puts them back."
        for impact in one.impact.steps:
            if (one.database, impact) not in before:
                yield f"{impact.revision.title}{place} changed while this ran. What it did:"
                yield from (f"- {line}" for line in step_lines(impact))


def generated_lines(results: Sequence[GeneratedDown], style: Style) -> Iterator[str]:
    """What generate-down says about each file."""
    for result in results:
        good = result.sound and not result.outdated
        sign = style.sign("applied" if good else "warning")
        what = " is not what generate-down would write" if result.outdated else ""
        named = result.down if result.written or result.outdated else result.up
        yield f"{sign} {shown_path(named)}{what}"
        yield f"  {_proof(result)}"
        yield from map(_kept, result.kept)
        yield from (f"  {note}" for note in result.notes if note != result.doubt)
        for gap in result.gaps:
            first = " ".join(gap.statement.split())
            yield f"  {shown_path(result.up)}:{gap.line}: {textwrap.shorten(first, 72)}"
            alone = " from the text alone" if result.state == "none" else ""
            yield f"    cannot be undone{alone}: {gap.missing}"
        yield from (f"  {difference}" for difference in result.differences)
    incomplete = [result for result in results if not result.complete]
    if incomplete and any(result.written for result in incomplete):
        yield (
            "rollback-db refuses an incomplete down: add what is missing, then remove its "
            "`-- Irreversible:` lines."
        )


def _kept(kept: KeptRows) -> str:
    columns = ", ".join(map(quote_identifier, kept.columns))
    what = f"{columns} of {kept.table}" if columns else f"rows of {kept.table}"
    return f"  keeps what line {kept.line} takes: {what}, in {kept.into}"


def diff_lines(path: Path, before: str, after: str, style: Style) -> Iterator[str]:
    """What a file would be instead, as a unified diff."""
    from difflib import unified_diff

    name, paint = shown_path(path), {"+": "green", "-": "red"}
    for line in unified_diff(before.splitlines(), after.splitlines(), name, name, lineterm=""):
        colour = paint.get(line[:1])
        yield style.paint(line, colour) if colour else line


_STATES = {
    "live": "the connected database's schema",
    "replay": "the revisions below it, replayed",
    "given": "the database of --before-url",
    "none": "its text alone",
}


def _proof(result: GeneratedDown) -> str:
    source = f"from {_STATES[result.state]}"
    if not result.proven:
        return f"not proven ({source}): {result.doubt}"
    order = f", but for the order of columns: {', '.join(result.reordered)}"
    runs = "up, down" if result.rows_in_the_way else "up, down, up"
    again = f"; rows that it leaves stop a second up: {result.rows_in_the_way}"
    return (
        f"proven on PostgreSQL {result.proven} ({source}): {runs}"
        f"{order if result.reordered else ''}{again if result.rows_in_the_way else ''}"
    )


def _subject(one: Rollback, words: str, *, several: bool) -> Iterator[str]:
    place = f" in {one.database}" if several else ""
    if len(one.plan.steps) == 1:
        yield f"{words}{place}: {one.plan.steps[0].title}"
        return
    yield f"{words}{place} {len(one.plan.steps)} revisions, in this order:"
    yield from (f"  {step.title}" for step in one.plan.steps)


def _notes(one: Rollback) -> Iterator[str]:
    if one.notes:
        yield from one.notes
        yield ""


def _title(rollbacks: Sequence[Rollback]) -> str:
    downgrade = any(one.command == "downgrade" for one in rollbacks)
    return "Downgrade" if downgrade else "Rollback Migration"


def _losses(one: Rollback, *, verbose: bool) -> Iterator[str]:
    """By revision, what holds rows first; no more than a screen unless all is asked for."""
    lines: list[str] = []
    several = len(one.impact.steps) > 1
    for step in one.impact.steps:
        if several:
            lines.append(f"{step.revision.title}:")
        lines += [f"- {line}" for line in step_lines(step)]
        if verbose:
            lines += [f"  - {_object(affected)}" for affected in step.objects]
    left = 0 if verbose else len(lines) - SCREEN
    if left > 1:
        yield from lines[:SCREEN]
        yield f"… and {left} lines more (--verbose shows them)"
    else:
        yield from lines
    if one.impact.referenced_by:
        yield f"- Affect foreign keys in: {', '.join(one.impact.referenced_by)}"


def _object(one: Affected) -> str:
    reason = {"named": "", "CASCADE": f", by CASCADE from {one.via}", "with": f", with {one.via}"}
    return f"{one.action}: {one.shown}{reason[one.how]}"


def _checks(one: Rollback, *, verbose: bool) -> Iterator[str]:
    """What the checks say beyond what stands above already."""
    told = [
        finding
        for finding in one.findings
        if verbose
        or finding.level == "block"
        or (finding.level != "info" and finding.check not in _TOLD_ABOVE)
    ]
    if not told:
        return
    yield ""
    yield "Checks:"
    for finding in told[: None if verbose else CHECKS]:
        yield f"- {finding.level} {finding.check}: {finding.message}"
        if finding.next_step:
            yield f"  {finding.next_step}"
    if len(told) > CHECKS and not verbose:
        yield f"… and {len(told) - CHECKS} more (--verbose shows them)"


def step_lines(step: StepImpact) -> Iterator[str]:
    """What one step takes, line by line."""
    yield from step.losses or ("remove nothing",)
    if step.outside:
        yield f"run outside a transaction ({step.outside}): what it has done stays if it fails"


def _later(one: Rollback) -> Iterator[str]:
    if one.plan.later:
        yield ""
        yield "Applied later, and staying applied:"
        yield from (f"- {revision.title}" for revision in one.plan.later)


def _transaction(impact: Impact) -> Iterator[str]:
    if any(step.outside for step in impact.steps):
        yield "Not in one transaction: see the steps above."


def _nothing(one: Rollback, *, several: bool) -> str:
    place = f" in {one.database}" if several else ""
    return f"Nothing to roll back{place}."
