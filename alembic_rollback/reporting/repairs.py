"""repair-db as text and as data."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alembic_rollback.model import Amendment, Repair, StatementMark
    from alembic_rollback.reporting.style import Style

WORD = "REPAIR"
"""What must be typed to confirm."""
_NONE = "none"
_ABOUT = {
    "accept-checksum": "accept changed files as what was applied",
    "forget": "forget a revision; its down is not run",
    "mark-applied": "mark a revision as applied; its up is not run",
    "clear-partial": "forget that a revision was begun; nothing of it is run",
    "resume-at": "say where a revision goes on; nothing of it is run now",
    "adopt": "take over what another tool has applied; nothing is run",
}


def warning_lines(repairs: Sequence[Repair], style: Style) -> Iterator[str]:
    """What is shown before the word is typed."""
    yield style.paint(f"{style.sign('warning')} WARNING: Repair", "red")
    yield ""
    yield f"You are about to {_ABOUT[repairs[0].action]}."
    yield from _bodies(repairs, style, "This will change")
    yield ""


def plan_lines(repairs: Sequence[Repair], style: Style) -> Iterator[str]:
    """What --dry-run shows."""
    if any(one.changes for one in repairs):
        yield f"Would {_ABOUT[repairs[0].action]}."
    yield from _bodies(repairs, style, "This would change")
    yield from _idle_lines(repairs)
    yield "Dry run: nothing was changed."


def done_lines(repairs: Sequence[Repair], style: Style) -> Iterator[str]:
    """What is said after the commit was seen."""
    for one in repairs:
        place = f" in {one.database}" if len(repairs) > 1 else ""
        for change in one.changes:
            yield f"{style.sign('applied')} Repaired {change.title}{place}: {_gist(change, style)}"
    yield from _idle_lines(repairs)


def repair_data(repairs: Sequence[Repair]) -> dict[str, Any]:
    """repair-db --json. Keys are stable; new ones may be added."""
    return {"databases": [_repair(one) for one in repairs]}


def _bodies(repairs: Sequence[Repair], style: Style, words: str) -> Iterator[str]:
    for one in repairs:
        if not one.changes:
            continue
        yield ""
        yield f"{words} in {one.database}:" if len(repairs) > 1 else f"{words}:"
        yield from (f"- {line}" for line in _lines(one, style))
        if one.notes:
            yield ""
            yield from one.notes


def _idle_lines(repairs: Sequence[Repair]) -> Iterator[str]:
    """Databases in which nothing is changed, and why."""
    for one in repairs:
        if not one.changes:
            place = f" in {one.database}" if len(repairs) > 1 else ""
            yield f"Nothing to repair{place}: {one.why_not}"
            yield from one.notes


def _lines(one: Repair, style: Style) -> Iterator[str]:
    for change in one.changes:
        yield from _change(change, style)
    if one.heads_before != one.heads_after:
        before, after = (", ".join(heads) or _NONE for heads in (one.heads_before, one.heads_after))
        yield f"version table: {_arrow(before, after, style)}"
    elif one.action in ("forget", "mark-applied", "adopt"):
        yield f"version table: stays {', '.join(one.heads_after) or _NONE}"
    yield f"log: {_logged(one)}"


def _change(change: Amendment, style: Style) -> Iterator[str]:
    """The revision as migration-status calls it, its row, its statements."""
    if change.before != change.after:
        yield f"{change.title}: {_arrow(change.before, change.after, style)}"
    if change.checksum_before != change.checksum_after:
        yield f"ledger row {change.version}: {_checksums(change, style)}"
    for mark in change.statements:
        yield f"statement {mark.number} ({_short(mark)}): {_arrow(mark.before, mark.after, style)}"


def _checksums(change: Amendment, style: Style) -> str:
    """`none → checksum 0123456789ab…`."""
    before, after = (
        _NONE if one is None else f"checksum {one[:12]}…" if one else "without a checksum"
        for one in (change.checksum_before, change.checksum_after)
    )
    return _arrow(before, after, style)


def _short(mark: StatementMark) -> str:
    return textwrap.shorten(" ".join(mark.text.split()), 60, placeholder=" …")


def _logged(one: Repair) -> str:
    """The rows that the log gets."""
    (outcome,) = {change.outcome for change in one.changes}
    rows = f"{outcome} {', '.join(change.version for change in one.changes)}"
    if outcome == "accepted":
        rows += ", with the down scripts as they are now"
    skipped = sum(m.after == "executed" for change in one.changes for m in change.statements)
    if skipped:
        rows += f", and skipped for {skipped} statement{'s' if skipped > 1 else ''}"
    return f"{rows}; from {one.source}" if one.source else rows


def _gist(change: Amendment, style: Style) -> str:
    if change.before != change.after:
        return _arrow(change.before, change.after, style)
    if change.statements:
        return f"goes on at statement {change.resume_at} of {change.total}"
    return _checksums(change, style)


def _arrow(before: str, after: str, style: Style) -> str:
    return f"{before} {'→' if style.unicode else '->'} {after}"


def _repair(one: Repair) -> dict[str, Any]:
    return {
        "database": one.database,
        "action": one.action,
        "executed": one.executed,
        "run_id": one.run_id or None,
        "changes": [_amendment(change) for change in one.changes],
        "version_table": {"before": list(one.heads_before), "after": list(one.heads_after)},
        "source": one.source or None,
        "notes": list(one.notes),
        "why_not": one.why_not or None,
    }


def _amendment(change: Amendment) -> dict[str, Any]:
    return {
        "version": change.version,
        "name": change.name,
        "outcome": change.outcome,
        "state": {"before": change.before, "after": change.after},
        "checksum": {"before": change.checksum_before, "after": change.checksum_after},
        "resume_at": change.resume_at,
        "statements": [
            {"number": m.number, "statement": m.text, "before": m.before, "after": m.after}
            for m in change.statements
        ],
    }
