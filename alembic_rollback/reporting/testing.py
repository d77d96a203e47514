"""What a failing test of `pytest --alembic-rollback` says, and what a passing one has to note."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import TYPE_CHECKING

from alembic_rollback.errors import shown_path
from alembic_rollback.reporting.verification import difference_line, told_line

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.comparison import Difference
    from alembic_rollback.model import Revision
    from alembic_rollback.survival import Loss
    from alembic_rollback.verification import Judged, Returned, Trouble

SCREEN = 40
"""How many lines of one kind are shown."""
_OPEN = ("column", "default", "constraint", "index", "sequence")
"""Kinds of facts whose details are shown."""
_WIDTH, _BEFORE = 60, 20
_FAILING = {
    "down fails": "the down fails",
    "up fails": "the up fails",
    "up fails after down": "after its down, the up fails",
    "not verified": "could not be tried",
}


def failure_lines(one: Judged, *, strict: bool) -> Iterator[str]:
    """Why the test of a revision fails; nothing where it passes.

    Rows that the up itself destroys, that are left over, and columns in another order fail only
    with `strict`.
    """
    problems = list(_problems(one, strict))
    if problems:
        yield from problems
        yield from one.notes
        yield _next_step(one)


def note_lines(one: Judged) -> Iterator[str]:
    """What is worth knowing of a test that passes."""
    yield from _reordered(one)
    yield from (loss.describe() for loss in one.lost)
    yield from one.notes
    if one.unseeded:
        yield f"no rows could be put into {', '.join(one.unseeded)}"


def returned_lines(one: Returned) -> Iterator[str]:
    """Why the whole way back and forward again fails; nothing where it passes."""
    way = f"the way back over {one.taken_back} revisions and forward again"
    if one.trouble:
        yield f"{one.title}: {_FAILING[one.outcome]} on {way}: {told_line(one.trouble)}"
        yield from _advice(one.trouble)
    elif one.differences:
        what = "the same" if one.again else "what it was before"
        yield f"{way} leaves a schema that is not {what}:"
        yield from _differences(one.differences)


def trouble_lines(failures: Iterable[Judged]) -> Iterator[str]:
    """Why an empty database cannot be brought to the heads."""
    for one in failures:
        assert one.trouble is not None
        yield f"{one.revision.title}: {_FAILING[one.outcome]}: {told_line(one.trouble)}"
        yield from _advice(one.trouble)


def _problems(one: Judged, strict: bool) -> Iterator[str]:
    if one.outcome == "no down":
        yield _no_down(one.revision)
    elif one.outcome == "differs":
        yield (
            "up, down and up again lead to another schema than the first up:"
            if one.again
            else "the down does not bring the schema back:"
        )
        yield from _differences(one.differences)
    elif one.trouble and not one.passes(strict=False):
        yield f"{_FAILING[one.outcome]}: {told_line(one.trouble)}"
        yield from _advice(one.trouble)
    elif strict and not one.passes(strict=True):
        yield from _reordered(one)
        yield from _losses("rows are not what they were:", one.lost)
        if not one.lost and not one.differences:
            yield "not tried as it should be:"
        return
    yield from _losses("the down loses rows that the up has left alone:", one.avoidable)


def _advice(trouble: Trouble) -> Iterator[str]:
    if trouble.advice:
        yield trouble.advice.replace("--scratch-url", "--alembic-rollback-scratch-url")


def _no_down(revision: Revision) -> str:
    if not revision.is_pair:
        return f"there is no downgrade() in {shown_path(revision.path)}"
    name = f"{revision.path.name.removesuffix('.up.sql')}.down.sql"
    return f"there is no down: {shown_path(revision.path.with_name(name))}"


def _reordered(one: Judged) -> Iterator[str]:
    tables = [found.fact.name for found in one.differences if found.how == "order"]
    if tables:
        yield f"the columns are in another order after the down: {', '.join(tables)}"


def _differences(differences: tuple[Difference, ...]) -> Iterator[str]:
    real = [one for one in differences if one.how != "order" and not _is_implied(one, differences)]
    yield from map(_difference, real[:SCREEN])
    if len(real) > SCREEN:
        yield f"… and {len(real) - SCREEN} more"


def _difference(one: Difference) -> str:
    """With what it is and was where that can hold no password."""
    if one.how != "changed" or one.fact.kind not in _OPEN or not one.before or not one.after:
        return difference_line(one)
    old, new = one.before.details, one.after.details
    told = [
        # Of a foreign table's column: they are for another server, and may be secret.
        key if "options" in key else f"{key}: {_values(new.get(key), old.get(key))}"
        for key in sorted({*old, *new})
        if old.get(key) != new.get(key)
    ]
    return f"- {one} ({'; '.join(told)})"


def _values(now: object, then: object) -> str:
    """What something is and was; of long texts the part that differs."""
    texts = [_text(now), _text(then)]
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(*texts, strict=False))
    same = sum(1 for _ in pairs)
    start = max(same - _BEFORE, 0) if max(map(len, texts)) > _WIDTH else 0
    shown = [f"{'…' * bool(start)}{text[start:]}" for text in texts]
    is_, was = (one if len(one) <= _WIDTH else f"{one[: _WIDTH - 1]}…" for one in shown)
    return f"{is_}, was {was}"


def _text(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    if isinstance(value, Mapping):
        value = ", ".join(f"{key} {one}" for key, one in value.items()) or "yes"
    return " ".join(str(value).split())


def _is_implied(one: Difference, differences: tuple[Difference, ...]) -> bool:
    """Whether it came or went with what it belongs to: a column with its table."""
    whole = {(other.how, other.fact.id) for other in differences if other.how != "changed"}
    return one.how != "changed" and (one.how, one.fact.parent) in whole


def _losses(title: str, losses: tuple[Loss, ...]) -> Iterator[str]:
    if losses:
        yield title
        yield from (f"- {loss.describe()}" for loss in losses)


def _next_step(one: Judged) -> str:
    version = one.revision.version
    alone = f"`alembic verify-down {version}` tries it by itself"
    if one.outcome == "down fails" and one.trouble and _refuses(one.trouble):
        return f"Where there is no way back: alembic_rollback_skip = {version} REASON"
    if one.outcome in ("up fails", "not verified"):
        return f"Next: {alone}."
    if not one.revision.is_pair:
        place = "" if one.trouble else f" in {shown_path(one.revision.path)}"
        return f"Next: correct downgrade(){place}; {alone}."
    if one.outcome == "no down":
        return (
            f"Next: `alembic generate-down {version}` writes it. Where there is no way back: a "
            "line `-- Irreversible: REASON` in the up."
        )
    return f"Next: `alembic generate-down {version} --stdout` shows a down that does; {alone}."


def _refuses(trouble: Trouble) -> bool:
    """Whether a downgrade() looks as if it said so on purpose."""
    return trouble.message.startswith(("NotImplementedError", "RuntimeError"))
