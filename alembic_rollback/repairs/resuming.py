"""Where a partial revision goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from alembic_rollback.errors import PairError, UsageError
from alembic_rollback.host.scripts import load_script, load_stored, pair_of
from alembic_rollback.model import Partial, Progress, Repair, StatementMark
from alembic_rollback.repairs.case import Case, shown
from alembic_rollback.sql.secrets import redacted

if TYPE_CHECKING:
    from alembic_rollback.sql.script import Script


def resume(case: Case) -> Repair:
    """Let it go on at a statement. Raises UsageError, PairError where it cannot."""
    partial, at = case.partial, case.request.resume_at or 0
    if partial is None:
        return case.nothing(f"{case.title} is not partial: it is {case.standing(case.version)}.")
    script = _script(case, partial)
    texts = {number: redacted(statement.text) for number, statement in script.numbered}
    _refuse_place(case, partial, texts, at)
    marks = tuple(_marks(partial.progress, texts, at))
    if not marks:
        return case.nothing(f"{case.title} goes on at statement {at} already.")
    change = replace(
        case.amended(case.version),
        after=_standing_at(case, partial, at, len(texts)),
        direction=partial.direction,
        resume_at=at,
        total=len(texts),
        statements=marks,
    )
    return case.repair(change, notes=case.left())


def _script(case: Case, partial: Partial) -> Script:
    """What goes on: the file, or the stored down where there is none. Raises where it cannot."""
    revision = case.revision
    if partial.progress.total is None or (revision and not revision.is_pair):
        raise UsageError(
            f"{case.title} is no pair: it runs again from its beginning, not from a statement.",
            next_step="--clear-partial forgets that it was begun; --mark-applied takes it for "
            "applied.",
        )
    pair = pair_of(case.books.history.script(case.version)) if revision else None
    if pair:
        return load_script(pair, partial.direction)
    stored = case.books.ledger.stored_downs(case.connection, [case.version])
    if partial.direction == "up" or case.version not in stored:
        raise PairError(
            f"No file of this release has {case.title}, so it cannot go on anywhere.",
            state="Nothing was changed.",
            next_step="Check out the release that has its file; or forget that it was begun with "
            "--clear-partial.",
        )
    return load_stored(stored[case.version])


def _refuse_place(case: Case, partial: Partial, texts: Mapping[int, str], at: int) -> None:
    done, last = partial.progress.done, len(texts) + 1
    if not 1 <= at <= last:
        raise UsageError(
            f"--resume-at takes a number from 1 to {last} here, not {at}: {case.title} has "
            f"{len(texts)} statements, and {last} means that all were executed.",
        )
    again = [n for n, text in done.items() if n >= at and texts.get(n) == redacted(text)]
    if again:
        raise UsageError(
            f"--resume-at {at}: statement {max(again)} of {case.title} was executed, and would be "
            "executed again.",
            state="Nothing was changed.",
            next_step=f"Give a number from {max(again) + 1}; or forget all of it with "
            "--clear-partial.",
        )


def _marks(progress: Progress, texts: Mapping[int, str], at: int) -> Iterator[StatementMark]:
    """The statements that count differently when it goes on at one."""
    for number in sorted({*texts, *progress.done}):
        before = _counted(progress, texts, number)
        after = "executed" if number < at else "not executed"
        if number not in texts:
            after = "no longer in the file"
        if before != after:
            text = texts.get(number) or redacted(progress.done[number])
            yield StatementMark(number, text, before, after)


def _counted(progress: Progress, texts: Mapping[int, str], number: int) -> str:
    if number == progress.doubtful and not progress.failed:
        return "in doubt"
    if number not in progress.done:
        return "failed" if number == progress.doubtful else "not executed"
    same = redacted(progress.done[number]) == texts.get(number)
    return "executed" if same else "executed with another text"


def _standing_at(case: Case, partial: Partial, at: int, total: int) -> str:
    done = dict.fromkeys(range(1, at), "")
    progress = Progress(done, total) if done else None
    if partial.direction == "down":
        partial = partial._replace(down=progress)
    else:
        partial = partial._replace(up=progress)
    if partial.up or partial.down:
        return shown(partial)
    return case.standing_without_partial(case.version)
