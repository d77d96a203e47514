"""What restore-db does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from alembic_rollback.archive.restoring import Restoration, Restored, Restorer, latest
from alembic_rollback.errors import Blocked, NotApplied, RollbackError
from alembic_rollback.host import collateral, environment
from alembic_rollback.host.configuration import settings_of
from alembic_rollback.host.ledgers import archive_of
from alembic_rollback.host.runs import refuse_read_only
from alembic_rollback.host.state import Order, State, new_run
from alembic_rollback.model import LogEntry
from alembic_rollback.runner import describe

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection

    from alembic_rollback.archive.store import Archive, Item
    from alembic_rollback.host.environment import Key, Snapshot


ConfirmDrop = Callable[[Sequence[Restoration]], None]
"""Called with what is to be dropped for good; raises NotConfirmed to stop it."""


def archived(config: Config) -> list[Restoration]:
    """Everything that rollbacks and ups have put into the archive, for each database of env.py."""
    return list(_look(config).values())


def restore(
    config: Config,
    *versions: str,
    into: str = "",
    keep: bool = False,
    dry_run: bool = False,
    lock_wait: str = "",
) -> list[Restoration]:
    """Put back what the last rollback of each revision has taken, in one transaction a database.

    They must be applied again. into: another table, as one would write it in SQL, instead of the
    one that it came from. keep: rows that are there already stay; without it they are a reason to
    refuse, as are values of a table without a key. dry_run: only look whether it would fit. Raises
    NotApplied, Blocked where something doesn't fit, RollbackError where nothing of it is archived.
    """
    found = _look(config, versions, into=into, keep=keep, writes=not dry_run)
    found = {key: one for key, one in found.items() if one.items}
    if dry_run:
        return list(found.values())
    done: dict[Key, Restoration] = {}

    def change(key: Key, state: State) -> None:
        if key in found:
            restored = _restore(state, found[key], into, keep=keep)
            done[key] = replace(found[key], restored=restored, executed=True)
            # What the rollback took from others may have waited for the rows: foreign keys.
            collateral.restore(state)

    environment.amend(config, _order(config, lock_wait), change)
    return list(done.values())


def drop_archived(
    config: Config, older_than: float, *, confirm: ConfirmDrop | None = None, lock_wait: str = ""
) -> list[Restoration]:
    """Drop what has been in the archive for longer than that, in seconds, for good."""
    limit = datetime.now(timezone.utc) - timedelta(seconds=older_than)
    found = {
        key: replace(
            one,
            items=tuple(i for i in one.items if i.archived_at < limit),
            kept_by_ups=tuple(k for k in one.kept_by_ups if k.since < limit),
        )
        for key, one in _look(config, writes=True).items()
    }
    found = {key: one for key, one in found.items() if one.items or one.kept_by_ups}
    if not found:
        return []
    if confirm:
        confirm(list(found.values()))

    def change(key: Key, state: State) -> None:
        if key not in found:
            return
        for item in found[key].items:
            found[key].archive.drop(state.connection, item)
        for kept in found[key].kept_by_ups:
            found[key].archive.drop_kept_by_up(state.connection, kept)

    environment.amend(config, _order(config, lock_wait), change)
    return [replace(one, executed=True) for one in found.values()]


def _order(config: Config, lock_wait: str) -> Order:
    timeouts = (("lock_timeout", settings_of(config).lock_timeout),)
    return Order(new_run(), timeouts=timeouts, lock_wait=lock_wait)


def _look(
    config: Config,
    versions: Sequence[str] = (),
    *,
    into: str = "",
    keep: bool = False,
    writes: bool = False,
) -> dict[Key, Restoration]:
    """The archives; of some versions, only what can be put back. Raises where that is nothing."""
    there: set[str] = set()
    wanted: set[str] = set()

    def see(snapshot: Snapshot, connection: Connection) -> tuple[Key, Restoration]:
        if writes:
            refuse_read_only(connection, "default_transaction_read_only")
        archive = archive_of(snapshot.settings, snapshot.ledger)
        items = archive.items(connection)
        there.update(item.version for item in items if item.restored_at is None)
        if versions:
            known = {item.version: "" for item in items}
            resolved = [v if v in known else snapshot.history.resolve(v, known) for v in versions]
            wanted.update(resolved)
            items = tuple(item for version in resolved for item in latest(items, version))
            if keep:
                items = tuple(item for item in items if item.contents.keyed)
            if items:
                _check(snapshot, connection, archive, items, into)
        applied = {v: row.applied_at for v, row in snapshot.rows.items() if v in snapshot.applied}
        kept = () if versions else archive.kept_by_ups(connection, applied)
        return snapshot.key, Restoration(snapshot.database, archive, items, kept)

    found = dict(environment.inspect(config, see))
    if missing := wanted - there:
        listed = f" There is something of {', '.join(sorted(there))}." if there else ""
        raise RollbackError(
            f"Nothing of {', '.join(sorted(missing))} is in the archive that was not put back "
            f"already.{listed}",
            state="Nothing was changed.",
            next_step="`alembic restore-db --list` shows what there is.",
        )
    return found


def _check(
    snapshot: Snapshot,
    connection: Connection,
    archive: Archive,
    items: Sequence[Item],
    into: str,
) -> None:
    pending = [item.version for item in items if item.version not in snapshot.applied]
    if pending and not into:
        raise NotApplied(
            f"{pending[0]} is not applied, so there is nothing to put its rows into.",
            state="Nothing was changed.",
            next_step=f"`alembic upgrade {pending[0]}`; or put them elsewhere with --into TABLE.",
        )
    Restorer(connection, archive).targets(items, into)


def _restore(state: State, one: Restoration, into: str, *, keep: bool) -> tuple[Restored, ...]:
    from sqlalchemy.exc import DBAPIError

    restorer = Restorer(state.connection, one.archive, keep)
    try:
        restored = restorer.restore(one.items, restorer.targets(one.items, into))
    except DBAPIError as error:
        if getattr(error, "connection_invalidated", False):
            raise
        told = describe(error)
        why = ": ".join(str(told[key]).rstrip(".") for key in ("message", "detail") if told[key])
        raise Blocked(
            f"It cannot be put back: {why}.",
            state="Nothing was changed.",
            next_step=_next(str(told["sqlstate"])),
        ) from error
    for item in restored:
        text = f"{item.item.shown}: {item.rows} into {item.table}"
        entry = LogEntry(item.item.version, "up", "restored", statement=text)
        state.ledger.note(state.connection, state.run, entry)
    return tuple(restored)


def _next(sqlstate: str) -> str:
    if sqlstate == "23505":  # unique_violation
        return "With --on-conflict keep, what is there stays and the rest is put back."
    return "Put that right first; or put it into another table with --into."
