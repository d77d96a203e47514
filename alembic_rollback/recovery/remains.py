"""What is still to be run of a script that was begun outside a transaction."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from alembic_rollback.errors import Blocked, RollbackError
from alembic_rollback.recovery.probes import Settled, settle
from alembic_rollback.sql.parser import Statement, parse
from alembic_rollback.sql.script import Script, sets_session
from alembic_rollback.sql.secrets import redacted
from alembic_rollback.sql.words import identifiers

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.model import Partial, Progress


@dataclass(frozen=True)
class Remains:
    """A script without what has been executed already, and what comes before it."""

    script: Script
    repairs: tuple[str, ...] = ()
    """SQL that clears away, or finishes, what a broken statement has left."""
    again: frozenset[int] = frozenset()
    """Statements that were executed already, and have set something for a session that is gone."""
    notes: tuple[str, ...] = ()
    """What a person should know of it, one sentence each."""
    moot: Mapping[int, str] = field(default_factory=dict)
    """The text of statements that have nothing to undo, by number."""


def remaining(
    connection: Connection,
    partial: Partial,
    script: Script,
    title: str,
    *,
    direction: str,
    up: Script | None = None,
) -> Remains:
    """What one direction of a partial revision has to run, by what the catalog says.

    script: the whole file of that direction. up: for `down`, the up's. Raises Blocked where it
    cannot go on from there: the file has been changed, or nobody can tell what was executed.
    """
    if direction == "up":
        if partial.down:
            raise Blocked(
                f"{title} is partial: {_half(partial)} ({partial.shown}).",
                state="Nothing was changed in this attempt.",
                next_step=f"Finish that first: `alembic rollback-db {partial.version}`.",
            )
        return _resume(connection, partial, partial.progress, script, title)
    found = Remains(script)
    if partial.down:
        found = _resume(connection, partial, partial.down, script, title)
    return _undo(connection, partial, partial.up, up, found, title) if partial.up else found


def still_partial(connection: Connection, partials: Mapping[str, Partial]) -> dict[str, Partial]:
    """Without those of which the catalog shows that nothing of them is there."""
    return {version: one for version, one in partials.items() if not _is_clean(connection, one)}


def _is_clean(connection: Connection, partial: Partial) -> bool:
    """Its first statement has failed, and left nothing."""
    progress = partial.progress
    if progress.done or (partial.up and partial.down) or not progress.failed:
        return False
    with suppress(RollbackError):
        for statement in parse(progress.statement, Path("log")):
            settled = settle(connection, statement, progress.found, failed=True)
            return settled.done is False and not settled.repairs
    return False


def leftovers(connection: Connection, partial: Partial) -> tuple[str, ...]:
    """SQL that clears away what the last statement of a partial `.py` revision has left."""
    progress = partial.progress
    with suppress(RollbackError):
        for statement in parse(progress.statement, Path("op")):
            return settle(connection, statement, progress.found, failed=progress.failed).repairs
    return ()


def _half(partial: Partial) -> str:
    return "it is being undone" if partial.up else "it is half rolled back"


def _resume(
    connection: Connection, partial: Partial, progress: Progress, script: Script, title: str
) -> Remains:
    # The log keeps statements without their passwords; another one is no other statement.
    texts = {number: redacted(statement.text) for number, statement in script.numbered}
    changed = [n for n, text in progress.done.items() if texts.get(n) != redacted(text)]
    if changed:
        raise Blocked(
            f"{title} is partial ({partial.shown}), and statement {changed[0]}, which was "
            "executed, has been changed in the file since.",
            where=script.path,
            state="Nothing was changed in this attempt.",
            next_step=_ways_out(partial),
        )
    settled = _settled(connection, partial, progress, title)
    done = _done(progress, settled)
    rest = [number for number, _ in script.numbered if number not in done]
    again = frozenset(n for n, s in script.numbered if n in done and sets_session(s))
    notes = [f"{title} goes on at statement {rest[0]} of {script.total}."] if rest else []
    notes += [settled.words] if settled.words else []
    return Remains(script.only({*rest, *again}), settled.repairs, again, tuple(notes))


def _undo(
    connection: Connection,
    partial: Partial,
    progress: Progress,
    up: Script | None,
    found: Remains,
    title: str,
) -> Remains:
    """The down without the statements that would undo what was never done."""
    settled = _settled(connection, partial, progress, title)
    executed = _done(progress, settled)
    pending = [s.text for n, s in up.numbered if n not in executed] if up else []
    words = frozenset().union(*map(identifiers, pending))
    moot = _moot(connection, settled.repairs, found.script, words)
    rest = [number for number, _ in found.script.numbered if number not in moot]
    notes = [*found.notes, *([settled.words] if settled.words else [])]
    if partial.down is None:
        notes.insert(0, f"{title} is partial ({partial.shown}): what it did is undone.")
    notes += [f"{one.where}: left out, for what it undoes was not done." for one in moot.values()]
    repairs = (*settled.repairs, *found.repairs)
    texts = {number: statement.text for number, statement in moot.items()}
    return Remains(found.script.only(rest), repairs, found.again, tuple(notes), texts)


def _moot(
    connection: Connection, repairs: tuple[str, ...], script: Script, words: frozenset[str]
) -> dict[int, Statement]:
    """Statements that would fail only because something is or isn't there that the rest of the up
    would have dropped or made.
    """
    from alembic_rollback.checks.simulation import World, follow

    world = World(connection)
    for sql in repairs:
        for statement in parse(sql, script.path):
            follow(world, statement)
    found = {}
    with world.names.script(script):
        for number, statement in script.numbered:
            failures = follow(world, statement).failures
            if failures and all(
                one.of_presence and identifiers(one.problem) & words for one in failures
            ):
                found[number] = statement
    return found


def _settled(connection: Connection, partial: Partial, progress: Progress, title: str) -> Settled:
    if progress.doubtful is None:
        return Settled(done=False)
    (statement,) = parse(progress.statement, Path(title)) or (None,)
    if statement is None:
        return Settled(done=False)
    found = settle(connection, statement, progress.found, failed=progress.failed)
    if found.done is None:
        number = progress.doubtful
        text = " ".join(progress.statement.split())[:60]
        raise Blocked(
            f"{title} is partial, and nobody can tell whether statement {number} ({text}) was "
            "executed: the connection ended meanwhile.",
            state="Nothing was changed in this attempt.",
            next_step=f"Look in the database; then `alembic repair-db {partial.version} "
            f"--resume-at {number}` if it wasn't, or {number + 1} if it was.",
        )
    return found


def _done(progress: Progress, settled: Settled) -> frozenset[int]:
    doubtful = [progress.doubtful] if progress.doubtful and settled.done else []
    return frozenset([*progress.done, *doubtful])


def _ways_out(partial: Partial) -> str:
    undo = f"undo it: `alembic rollback-db {partial.version}`"
    if partial.down:
        undo = f"say where to go on: `alembic repair-db {partial.version} --resume-at N`"
    return f"Put the statement back as it was; or {undo}."
