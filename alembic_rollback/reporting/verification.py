"""What verify-down says: a line a revision with what is wrong below it, then the sum; or JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from alembic_rollback.errors import shown_path

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.comparison import Difference
    from alembic_rollback.reporting.style import Style
    from alembic_rollback.survival import Loss
    from alembic_rollback.verification import Judged, Trouble, Verification

SCREEN = 20
"""Up to how many revisions those without a word to say are shown; and how many lines of one."""
_SUMS = {
    "differs": ("differs", "differ"),
    "down fails": ("down fails", "downs fail"),
    "up fails": ("up fails", "ups fail"),
    "up fails after down": ("up fails after its down", "ups fail after their downs"),
    "no down": ("has no down", "have no down"),
    "irreversible": ("is irreversible", "are irreversible"),
    "not verified": ("could not be verified", "could not be verified"),
}


def verification_lines(result: Verification, style: Style, *, strict: bool) -> Iterator[str]:
    """verify-down: what is verified is shown only where that fits a screen."""
    short = len(result.revisions) <= SCREEN
    for one in result.revisions:
        details = list(_details(one))
        if short or details or not one.passes(strict=strict) or one.outcome != "verified":
            yield _headline(one, style, strict)
            yield from (f"   {line}" for line in _cut(details))
    yield from _unseeded(result)
    yield _sum(result)


def verification_data(result: Verification, *, strict: bool) -> dict[str, Any]:
    """verify-down --json. Keys are stable; new ones may be added."""
    return {
        "server": result.server,
        "passed": result.passes(strict=strict),
        "verified": result.verified,
        "revisions": [_data(one, strict) for one in result.revisions],
    }


# Text


def _headline(one: Judged, style: Style, strict: bool) -> str:
    passed = one.passes(strict=strict)
    sign = style.sign("applied" if passed else "failed")
    outcome = one.outcome if passed else style.paint(one.outcome, "red")
    return f"{sign} {one.revision.title}: {outcome}{_brief(one)}"


def _brief(one: Judged) -> str:
    """What fits behind the outcome."""
    if one.outcome in ("irreversible", "not verified") and one.trouble:
        return f": {one.trouble.message}"
    if one.outcome == "verified but for column order":
        return f" of {', '.join(difference.fact.name for difference in one.differences)}"
    if one.outcome == "differs":
        return " after the second up" if one.again else " after the down"
    return ""


def _details(one: Judged) -> Iterator[str]:
    if one.trouble and one.outcome not in ("irreversible", "not verified"):
        yield told_line(one.trouble)
    if one.trouble and one.trouble.advice:
        yield one.trouble.advice
    if one.outcome == "differs":
        yield from (difference_line(difference) for difference in one.differences)
    yield from _rows("rows that did not survive:", one.lost, extra=False)
    yield from _rows("rows that are left over:", one.lost, extra=True)
    yield from one.notes


def _rows(title: str, losses: tuple[Loss, ...], *, extra: bool) -> Iterator[str]:
    told = [f"- {loss.describe()}" for loss in losses if (loss.kind == "extra") is extra]
    if told:
        yield from (title, *told)


def told_line(trouble: Trouble) -> str:
    """Where and why something failed."""
    where = f"{trouble.where}: " if trouble.where else ""
    return f"{where}{trouble.message}" + (f" ({trouble.sqlstate})" if trouble.sqlstate else "")


def difference_line(one: Difference) -> str:
    """One fact that is not what it was, and in what."""
    changed = _changed(one)
    return f"- {one}" + (f" ({', '.join(changed)})" if changed else "")


def _changed(one: Difference) -> list[str]:
    """In what a fact differs; never the values, which may hold passwords."""
    if one.how != "changed" or one.before is None or one.after is None:
        return []
    old, new = one.before.details, one.after.details
    return sorted(key for key in {*old, *new} if old.get(key) != new.get(key))


def _cut(lines: list[str]) -> Iterator[str]:
    yield from lines[:SCREEN]
    if len(lines) > SCREEN:
        yield f"… and {len(lines) - SCREEN} lines more (--json has them)"


def _unseeded(result: Verification) -> Iterator[str]:
    tables = dict.fromkeys(table for one in result.revisions for table in one.unseeded)
    if tables:
        yield f"No rows could be put into: {', '.join(tables)} (--json has the reasons)"


def _sum(result: Verification) -> str:
    number = len(result.revisions)
    counts = Counter(one.outcome for one in result.revisions)
    rest = [
        f"{counts[outcome]} {words[counts[outcome] > 1]}"
        for outcome, words in _SUMS.items()
        if counts[outcome]
    ]
    noun = "revision" if number == 1 else "revisions"
    of = f"verified {result.verified} of {number} {noun} on PostgreSQL {result.server}"
    return "; ".join([of, ", ".join(rest)] if rest else [of])


# Data


def _data(one: Judged, strict: bool) -> dict[str, Any]:
    order = one.outcome == "verified but for column order"
    return {
        "version": one.revision.version,
        "name": one.revision.name,
        "path": shown_path(one.revision.path),
        "outcome": one.outcome,
        "passed": one.passes(strict=strict),
        "trouble": _trouble(one.trouble) if one.trouble else None,
        "differences_after": ("second up" if one.again else "down") if one.differences else None,
        "differences": [] if order else [_fact(difference) for difference in one.differences],
        "reordered": [two.fact.name for two in one.differences if two.how == "order"],
        "lost_rows": [_loss(loss) for loss in one.lost],
        "unseeded": [{"table": name, "reason": reason} for name, reason in one.unseeded.items()],
        "notes": list(one.notes),
    }


def _trouble(trouble: Trouble) -> dict[str, Any]:
    return {
        "message": trouble.message,
        "where": str(trouble.where) if trouble.where else None,
        "sqlstate": trouble.sqlstate,
        "advice": trouble.advice or None,
    }


def _fact(one: Difference) -> dict[str, Any]:
    return {
        "how": one.how,
        "kind": one.fact.kind,
        "name": one.fact.key,
        "changed": _changed(one),
    }


def _loss(loss: Loss) -> dict[str, Any]:
    return {"table": loss.table, "column": loss.column, "rows": loss.rows, "kind": loss.kind}
