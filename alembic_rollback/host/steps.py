"""Which steps a run takes, checked before the first one, and the bookkeeping after each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from alembic_rollback.errors import Blocked, PairError, RollbackError
from alembic_rollback.host import archiving, collateral
from alembic_rollback.host.heads import Move, ordinary_move
from alembic_rollback.host.outside import repair, watched
from alembic_rollback.host.scripts import load_script, load_stored, pair_of
from alembic_rollback.host.seams import edge
from alembic_rollback.host.state import DOWNGRADE, STATE, Attempt, State
from alembic_rollback.planning import counted, holes, steps_up
from alembic_rollback.recovery.remains import Remains, leftovers, remaining

if TYPE_CHECKING:
    from alembic.runtime.migration import RevisionStep
    from alembic.script import ScriptDirectory
    from sqlalchemy.engine import Connection

    from alembic_rollback.model import Partial
    from alembic_rollback.pairs import Pair
    from alembic_rollback.sql.script import Script as SqlScript

log = logging.getLogger("alembic.rollback")


def upgrade_steps(
    wrapped: Any, directory: ScriptDirectory, args: Any, kwargs: Any
) -> list[RevisionStep]:
    """Seam `ScriptDirectory._upgrade_revs`: with a hole, the steps come from the applied set."""
    state = _state_of(directory)
    if state is None:
        steps: list[RevisionStep] = wrapped(*args, **kwargs)
        return steps
    if state.applied.closed:
        steps = wrapped(*args, **kwargs)
    else:
        steps = _steps_over_holes(state, directory, *args, **kwargs)
    return prepare(state, steps)


def downgrade_steps(
    wrapped: Any, directory: ScriptDirectory, args: Any, kwargs: Any
) -> list[RevisionStep]:
    """Seam `ScriptDirectory._downgrade_revs`: what is not applied is not undone."""
    steps: list[RevisionStep] = wrapped(*args, **kwargs)
    state = _state_of(directory)
    if state is None:
        return steps
    applied = state.applied.versions
    steps = prepare(state, [step for step in steps if step.revision.revision in applied])
    if steps and not state.offline:
        _guard_downgrade(state, steps)
    return steps


def _guard_downgrade(state: State, steps: list[RevisionStep]) -> None:
    """From the command line what was shown is looked at again; in code only where settings ask."""
    revisions = tuple(state.history.revisions[step.revision.revision] for step in steps)
    guard = DOWNGRADE.get()
    if guard is None:
        if state.settings.downgrade_guard == "always":
            edge().weigh_in_code(state, revisions)
        return
    if state.context._transaction_per_migration or state.autocommits:
        state.guard = lambda some: guard(state, some)
    else:
        guard(state, revisions)


def update_to_step(wrapped: Any, maintainer: Any, args: Any, kwargs: Any) -> None:
    """Seam `HeadMaintainer.update_to_step`: version table, ledger and log after one step."""
    state = STATE.get()
    if state is None or state.context is not maintainer.context:
        wrapped(*args, **kwargs)
        return

    def alembic_update() -> None:
        wrapped(*args, **kwargs)

    (step,) = args
    with state.whole():
        if hasattr(step, "revision"):
            _record_step(state, maintainer, step, alembic_update)
        else:
            _record_stamp(state, maintainer, step, alembic_update)
    if hasattr(step, "revision"):
        _end_step(state, step)


def prepare(state: State, steps: list[RevisionStep]) -> list[RevisionStep]:
    """Read, parse and check everything that the steps will run; time each of them.

    Raises before the first statement runs: a missing down, a script that does not parse, a step
    that cannot run in the caller's transaction.
    """
    late = holes(state.history.graph, frozenset(state.applied.versions))
    _refuse_above_half_rolled_back(state, steps)
    for step in steps:
        _check_down(state, step)
        if step.is_upgrade and step.revision.revision in late and not state.offline:
            _say_out_of_order(state, step)
    for step in steps:
        _load(state, step)
        step.migration_fn = _Attempted(state, step)
    return steps


def _state_of(directory: ScriptDirectory) -> State | None:
    state = STATE.get()
    return state if state is not None and state.context.script is directory else None


def _steps_over_holes(
    state: State, directory: ScriptDirectory, destination: str, current: Any
) -> list[RevisionStep]:
    from alembic.runtime.migration import MigrationStep

    map_, applied = directory.revision_map, frozenset(state.applied.versions)
    graph = state.history.graph
    count = _pending_count(destination)
    if count:
        # "The next N": counted over the holes, where Alembic would start above the highest head.
        steps = steps_up(graph, map_.heads, applied)[:count]
        if len(steps) < count:
            raise RollbackError(f"Only {counted(len(steps), 'revision')} pending, not {count}.")
    else:
        with directory._catch_revision_errors(end=destination):
            targets = map_._parse_upgrade_target(
                current_revisions=current, target=destination, assert_relative_length=True
            )
        versions = [getattr(target, "revision", "") for target in targets if target is not None]
        steps = steps_up(graph, versions, applied)
    return [
        MigrationStep.upgrade_from_script(map_, state.history.script(version)) for version in steps
    ]


def _pending_count(destination: str) -> int:
    digits = destination.removeprefix("+") if destination.startswith("+") else ""
    return int(digits) if digits.isdigit() else 0


def _check_down(state: State, step: RevisionStep) -> None:
    pair = pair_of(step.revision)
    if not step.is_upgrade or not pair:
        return
    # It is kept in the log: unreadable is to be known before.
    if pair.down_text is not None or pair.irreversible:
        return
    advice = f"`alembic generate-down {pair.up.name}` writes what can be derived."
    if state.settings.missing_down == "error":
        raise PairError(
            f"{pair.title} has no {pair.expected_down.name}.",
            where=pair.up,
            state="Nothing was changed.",
            next_step=advice,
        )
    log.warning("%s has no down script. %s", pair.title, advice)


def _say_out_of_order(state: State, step: RevisionStep) -> None:
    title = state.history.revisions[step.revision.revision].title
    message = f"{title} is out of order: revisions above it are applied already"
    if state.settings.out_of_order == "error":
        raise Blocked(
            f"{message} (out_of_order = error).",
            state="Nothing was changed.",
            next_step="Give it a newer version, or set out_of_order = apply.",
        )
    log.warning("%s; it is applied now.", message)


def _load(state: State, step: RevisionStep) -> None:
    pair, version = pair_of(step.revision), step.revision.revision
    stored = None if step.is_upgrade else state.stored.get(version)
    if not pair and not stored:
        return
    direction = "up" if step.is_upgrade else "down"
    title = _title(state, version, "")
    most = state.settings.max_script_bytes
    script = load_stored(stored, most) if stored else load_script(pair, direction, most)  # type: ignore[arg-type]
    if script.outside and state.context._in_external_transaction and not state.offline:
        raise Blocked(
            f"{title} must run outside a transaction ({script.outside}), but the caller of "
            "Alembic has begun one.",
            where=script.path,
            state="Nothing was changed.",
            next_step="Run it through a connection that is not in a transaction.",
        )
    if script.joined and not state.autocommits:
        log.warning("%s: the transactions of %s are run as one.", title, script.path.name)
    script = _rest(state, title, version, pair, script, direction)
    # Downs are looked at again under the lock; ups are only run.
    only_run = step.is_upgrade and script.transactional and not state.autocommits
    state.scripts[version, direction] = script.without_trees() if only_run else script


def _refuse_above_half_rolled_back(state: State, steps: list[RevisionStep]) -> None:
    """What is partial and not part of the run is named; nothing is built upon it."""
    taken = {step.revision.revision for step in steps}
    above = state.history.graph.cov(s.revision.revision for s in steps if s.is_upgrade)
    for version, partial in state.partials.items():
        if version in taken:
            continue
        way = "rollback-db" if partial.down else "upgrade"
        finish = f"`alembic rollback-db {version}`"
        if way == "upgrade":
            finish = f"`alembic upgrade {version}`, or undo it: {finish}"
        problem = f"{_title(state, version, partial.name)} is partial ({partial.shown})"
        if version in above:
            raise Blocked(
                f"{problem}, and what was asked for stands on it.",
                state="Nothing was changed.",
                next_step=f"Finish that first: {finish}.",
            )
        log.warning("%s. Finish it: %s.", problem, finish)


def _title(state: State, version: str, name: str) -> str:
    revision = state.history.revisions.get(version)
    return revision.title if revision else f"{version} {name}".strip()


def _rest(
    state: State, title: str, version: str, pair: Pair | None, script: SqlScript, direction: str
) -> SqlScript:
    """Of a partial revision, what is still to be run."""
    partial = state.partials.get(version)
    if partial is None or state.offline:
        return script
    with state.whole():
        remains = rest_of(state.connection, partial, title, pair, script, direction)
    state.remains[version, direction] = remains
    if direction == "up":  # before a rollback they are shown with what it takes away
        for note in remains.notes:
            log.warning("%s", note)
    return remains.script


def rest_of(
    connection: Connection,
    partial: Partial,
    title: str,
    pair: Pair | None,
    script: SqlScript,
    direction: str,
) -> Remains:
    """What one direction of a partial revision has to run.

    pair: None where only a stored down is left of it. Raises Blocked where nobody knows.
    """
    up = load_script(pair, "up") if pair and direction == "down" and partial.up else None
    return remaining(connection, partial, script, title, direction=direction, up=up)


def _begin_again(state: State, step: RevisionStep) -> None:
    """A `.py` revision that is partial runs from its beginning; what it left invalid goes."""
    partial = state.partials.get(step.revision.revision)
    way = "up" if step.is_upgrade else "down"
    if partial is None or state.offline or (partial.version, way) in state.scripts:
        return
    title = _title(state, partial.version, partial.name)
    log.warning("%s is partial (%s): it runs again from its beginning.", title, partial.shown)
    repairs = leftovers(state.connection, partial)
    if repairs:
        with state.context.autocommit_block():
            repair(state.connection, repairs, inside=False)


class _Attempted:
    """A step's function, with what stands around it; without a closure for each of thousands."""

    __slots__ = ("function", "state", "step")

    def __init__(self, state: State, step: RevisionStep) -> None:
        self.state, self.step, self.function = state, step, step.migration_fn

    @property
    def __name__(self) -> str:
        """Alembic logs it."""
        return str(self.function.__name__)

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        state, revision = self.state, self.step.revision
        direction = "up" if self.step.is_upgrade else "down"
        state.attempt = Attempt(revision.revision, direction)
        if not state.offline:
            state.apply_timeouts()
        _begin_again(state, self.step)
        if state.guard:
            state.guard((state.history.revisions[revision.revision],))
        is_python = (revision.revision, direction) not in state.scripts
        with _observed(state, direction) if is_python and not state.offline else nullcontext():
            self.function(*args, **kwargs)
        if state.attempt.script_ms is None:
            state.attempt.script_ms = state.attempt.elapsed_ms


@contextmanager
def _observed(state: State, direction: str) -> Iterator[None]:
    """A `.py` revision tells nobody what it runs."""
    assert state.attempt is not None
    keeps = archiving.archives(state, direction)
    kept = archiving.archived(state, state.attempt.version) if keeps else nullcontext()
    with watched(state), kept:
        yield


def _record_step(
    state: State, maintainer: Any, step: RevisionStep, alembic_update: Callable[[], None]
) -> None:
    version = step.revision.revision
    state.partials.pop(version, None)
    move = _update_heads(state, maintainer, step, alembic_update)
    also = move.sql(state.context) if move else ""
    attempt = state.attempt
    elapsed = attempt.script_ms if attempt and not state.offline else None
    if step.is_upgrade:
        changed = state.add(state.entry(version, "up", "applied", duration_ms=elapsed), also)
    else:
        entry = state.entry(version, "down", "rolled_back", duration_ms=elapsed)
        changed = state.remove(entry, also)
    if move:
        move.note(maintainer, state.context, changed)
    state.done.append(version)


def _update_heads(
    state: State, maintainer: Any, step: RevisionStep, alembic_update: Callable[[], None]
) -> Move | None:
    """Update the applied set and the version table; a Move is left to go with the ledger's row."""
    version = step.revision.revision
    # Undoing what was never recorded as applied changes no head; and Alembic's own bookkeeping
    # fails on a revision without a file.
    normal = step.is_upgrade or (version in state.applied.versions and version not in state.stored)
    was_closed = state.applied.closed and normal
    if step.is_upgrade:
        state.applied.add(version)
    else:
        state.applied.remove(version)
    if not (was_closed and state.applied.closed):
        _set_heads(maintainer, state.applied.heads())
        return None
    move = None if state.offline else ordinary_move(maintainer, step)
    if move is None:
        alembic_update()
    return move


def _end_step(state: State, step: RevisionStep) -> None:
    if step.is_upgrade and not state.offline:
        collateral.restore(state)
    if state.attempt and state.attempt.outside:
        state.commit()


def _record_stamp(
    state: State, maintainer: Any, step: Any, alembic_update: Callable[[], None]
) -> None:
    """A stamp says what is applied without running anything; the ledger follows the heads."""
    graph, before = state.history.graph, frozenset(state.applied.versions)
    was = graph.cov(maintainer.heads)
    alembic_update()
    now = graph.cov(maintainer.heads)
    after = (before | (now - was)) - (was - now)
    if step.is_upgrade:
        after |= graph.cov(step.to_revisions)
    _sync(state, graph.order(after - before), before - after)


def _sync(state: State, added: Iterable[str], removed: Iterable[str]) -> None:
    for version in added:
        state.applied.add(version)
        state.add(state.entry(version, "none", "stamped"))
    for version in sorted(removed):
        state.applied.remove(version)
        state.remove(state.entry(version, "none", "stamped"))


def _set_heads(maintainer: Any, heads: frozenset[str]) -> None:
    for head in sorted(maintainer.heads - heads):
        maintainer._delete_version(head)
    for head in sorted(heads - maintainer.heads):
        maintainer._insert_version(head)
