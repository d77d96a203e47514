"""What repair-db does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from alembic_rollback.errors import Blocked, NotApplied, RollbackError, UsageError
from alembic_rollback.host import environment
from alembic_rollback.host.configuration import settings_of
from alembic_rollback.host.runs import refuse_read_only
from alembic_rollback.host.state import Order, State, new_run
from alembic_rollback.model import Amendment, LogEntry, Repair, StatementMark
from alembic_rollback.repairs import RepairRequest, books_of, books_under_lock, propose
from alembic_rollback.settings import check_duration

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection

    from alembic_rollback.host.environment import Key, Snapshot

ConfirmRepair = Callable[[Sequence[Repair]], None]
"""Called with what a repair would change, before anything is; raises NotConfirmed to stop it."""


def repair(
    config: Config,
    request: RepairRequest,
    *,
    dry_run: bool = False,
    confirm: ConfirmRepair | None = None,
    lock_wait: str = "",
) -> list[Repair]:
    """Change what is recorded of revisions, in each database of env.py where it applies.

    No script is run. dry_run: only say what would change. confirm: see ConfirmRepair. lock_wait:
    how long to wait for another runner; the setting's if empty. Raises RollbackError where it
    applies nowhere, Blocked where something has changed since it was shown.
    """
    check_duration("--lock-wait", lock_wait or "0")
    proposed = _proposals(config, request, writes=not dry_run)
    found = list(proposed.values())
    if dry_run or not any(one.changes for one in found):
        return found
    if confirm:
        confirm(found)
    timeouts = (("lock_timeout", settings_of(config).lock_timeout),)
    order = Order(new_run(), timeouts=timeouts, lock_wait=lock_wait)

    def change(key: Key, state: State) -> None:
        shown = proposed.get(key)
        if shown is not None and shown.changes:
            _refuse_changed(state, request, shown)
            _write(state, shown)

    try:
        environment.amend(config, order, change)
    except RollbackError as error:
        _say_what_was_committed(config, error, proposed, order)
        raise
    return _confirmed_by_log(config, proposed, order)


def _proposals(config: Config, request: RepairRequest, *, writes: bool) -> dict[Key, Repair]:
    """What would change in each database. Raises where that is nothing anywhere."""
    unknown: list[UsageError] = []

    def see(snapshot: Snapshot, connection: Connection) -> tuple[Key, Repair]:
        if writes:
            refuse_read_only(connection, "default_transaction_read_only")
        books = books_of(snapshot)
        try:
            version = books.resolve(request.version) if request.version is not None else None
        except UsageError as error:  # another database may know it, if it has no file
            unknown.append(error)
            return snapshot.key, Repair(books.database, request.action, why_not=error.what)
        found = propose(books, connection, replace(request, version=version))
        return snapshot.key, replace(found, notes=(*_reconciled(snapshot), *found.notes))

    found = dict(environment.inspect(config, see))
    if len(unknown) == len(found):
        raise unknown[0]
    _refuse_nothing(list(found.values()))
    return found


def _refuse_nothing(found: Sequence[Repair]) -> None:
    if any(one.changes or one.idle for one in found):
        return
    reasons = {one.database: one.why_not for one in found}
    if len(set(reasons.values())) > 1:
        why = " ".join(f"{database}: {reason}" for database, reason in reasons.items())
    else:
        why = found[0].why_not
    kind = NotApplied if " is not applied." in why else RollbackError
    raise kind(
        why,
        state="Nothing was changed.",
        next_step="`alembic migration-status` shows what is recorded.",
    )


def _reconciled(snapshot: Snapshot) -> tuple[str, ...]:
    """What any run that writes does first, and this one, too."""
    first, notes = snapshot.starting, []
    if first.adopted:
        notes.append(f"Applied without the ledger, and taken into it: {', '.join(first.adopted)}.")
    if first.forgotten:
        gone = ", ".join(first.forgotten)
        notes.append(f"Not covered by the version table, and taken out of the ledger: {gone}.")
    if first.heads is not None:
        heads = ", ".join(first.heads) or "empty"
        notes.append(f"Before that, the version table becomes what the ledger says: {heads}.")
    return tuple(notes)


def _refuse_changed(state: State, request: RepairRequest, shown: Repair) -> None:
    """Under the lock: what was shown must still be so."""
    why = "what is recorded is not what was shown"
    try:
        books = books_under_lock(state, shown.database)
        now = propose(books, state.connection, request)
        if now == shown:
            return
        why = now.why_not.rstrip(".") or why
    except RollbackError as error:
        why = error.what.rstrip(".")
    raise Blocked(
        f"Somebody else has changed it meanwhile: {why}.",
        state="Nothing was changed.",
        next_step="Look again with --dry-run.",
    )


def _write(state: State, shown: Repair) -> None:
    for one in shown.changes:
        _WRITERS[one.outcome](state, one)
    if shown.heads_after != shown.heads_before:
        state.replace_heads(frozenset(shown.heads_after))


def _entry(state: State, one: Amendment) -> LogEntry:
    """A row of the log; without a file it has at least the name."""
    entry = state.entry(one.version, "none", one.outcome)
    return entry._replace(name=one.name)


def _add(state: State, one: Amendment) -> None:
    state.applied.add(one.version)
    state.partials.pop(one.version, None)
    state.add(_entry(state, one))


def _remove(state: State, one: Amendment) -> None:
    state.applied.remove(one.version)
    state.partials.pop(one.version, None)
    state.remove(_entry(state, one))


def _accept(state: State, one: Amendment) -> None:
    state.ledger.accept(state.connection, state.run, _entry(state, one))


def _clear(state: State, one: Amendment) -> None:
    state.ledger.note(state.connection, state.run, _entry(state, one))


def _reset(state: State, one: Amendment) -> None:
    """First what no longer counts, then what counts as executed from now on."""
    entry = LogEntry(
        one.version,
        one.direction,
        one.outcome,
        name=one.name,
        statement_number=one.resume_at,
        statement_total=one.total,
    )
    state.ledger.note(state.connection, state.run, entry)
    for mark in one.statements:
        if mark.after == "executed":
            state.ledger.note(state.connection, state.run, _skipped(entry, mark))


def _skipped(entry: LogEntry, mark: StatementMark) -> LogEntry:
    number, text = mark.number, mark.text
    return entry._replace(outcome="skipped", statement=text, statement_number=number)


_WRITERS: dict[str, Callable[[State, Amendment], None]] = {
    "accepted": _accept,
    "forgotten": _remove,
    "stamped": _add,
    "adopted": _add,
    "cleared": _clear,
    "reset": _reset,
}


def _committed(config: Config, proposed: Mapping[Key, Repair], order: Order) -> dict[Key, bool]:
    """Whether another connection sees the log rows of what should have been changed."""

    def see(snapshot: Snapshot, connection: Connection) -> tuple[Key, bool]:
        shown = proposed.get(snapshot.key)
        if shown is None or not shown.changes or not snapshot.has_log:
            return snapshot.key, False
        outcome, expected = shown.changes[0].outcome, {one.version for one in shown.changes}
        logged = snapshot.ledger.logged(connection, order.run.run_id, outcome)
        return snapshot.key, expected <= set(logged)

    return dict(environment.inspect(config, see))


def _say_what_was_committed(
    config: Config, error: RollbackError, proposed: Mapping[Key, Repair], order: Order
) -> None:
    """With several databases, an error in one says nothing about those before it."""
    if len(proposed) < 2:
        return
    there = _committed(config, proposed, order)
    names = [one.database for key, one in proposed.items() if there.get(key)]
    if names:
        error.state = f"It was repaired before in {', '.join(names)}, and nowhere else."


def _confirmed_by_log(config: Config, proposed: Mapping[Key, Repair], order: Order) -> list[Repair]:
    there = _committed(config, proposed, order)
    for key, one in proposed.items():
        if one.changes and not there.get(key):
            raise RollbackError(
                f"The repair of {one.database} ran, but was not committed.",
                next_step="env.py must run context.run_migrations() inside "
                "`with context.begin_transaction():`; `alembic migration-status` shows the state.",
            )
    return [
        replace(one, executed=True, run_id=order.run.run_id) if one.changes else one
        for one in proposed.values()
    ]
