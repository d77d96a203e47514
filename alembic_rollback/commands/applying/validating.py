"""Before anything is applied: both files of each pair, and their downs on a scratch database."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from alembic_rollback.commands.pairs import generate_down, verify_down
from alembic_rollback.errors import (
    Blocked,
    DatabaseError,
    PairError,
    RollbackError,
)
from alembic_rollback.generation import Wish
from alembic_rollback.host import environment
from alembic_rollback.host.history import history_of
from alembic_rollback.host.scripts import load_script
from alembic_rollback.verification.outcomes import NO_DOWN, NOT_VERIFIED

if TYPE_CHECKING:
    from alembic_rollback.model import GeneratedDown
    from alembic_rollback.pairs import Pair
    from alembic_rollback.verification import Judged, Verification

from alembic_rollback.commands.applying.course import UNTOUCHED, Course, Wanted, pair_in

log = logging.getLogger("alembic.rollback")


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


def write_missing(wanted: Wanted, course: Course) -> list[GeneratedDown]:
    """Write the missing downs. Raises Blocked where one has gaps; what was written stays."""
    pairs = [pair_in(course, revision) for revision in course.revisions.values()]
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


def validate(
    wanted: Wanted, course: Course, *, written: bool, generated: Sequence[GeneratedDown]
) -> None:
    """Both files of each pair are there and can be run."""
    pending = {one.version: pair_in(course, one) for one in course.revisions.values()}
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
        _parse(pair, wanted.settings.max_script_bytes)
        if pair.irreversible:
            wanted.tell(f"{pair.title} is irreversible: {'; '.join(pair.irreversible)}")
    if pairs:
        noun = "pair" if len(pairs) == 1 else "pairs"
        wanted.tell(f"Validated {len(pairs)} {noun}: both files are there and can be run.")


def _parse(pair: Pair, most: int) -> None:
    for direction in ("up", "down"):
        if direction == "down" and pair.down is None:
            continue
        try:
            load_script(pair, direction, most)
        except RollbackError as error:
            error.state = error.state or UNTOUCHED
            raise


def verified(
    wanted: Wanted, course: Course, generated: Sequence[GeneratedDown]
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
