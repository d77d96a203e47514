"""What a database's ledger and the files say together: one line a revision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.ledger import Shape
from alembic_rollback.model import (
    Collateral,
    LedgerRow,
    Partial,
    Revision,
    RevisionStatus,
    Status,
)
from alembic_rollback.planning import holes

if TYPE_CHECKING:
    from alembic_rollback.host.environment import Snapshot


def status_of(snapshot: Snapshot) -> Status:
    """Every revision of a database, oldest first, and what is wrong with it."""
    history, rows = snapshot.history, snapshot.rows
    every = [*history.revisions, *snapshot.applied_without_file]
    ordered = history.graph.order(every)
    notes: tuple[str, ...] = ()
    if snapshot.shape is Shape.FOREIGN:
        table = f"{snapshot.ledger.schema}.{snapshot.ledger.table}"
        notes = (f"{table} is another tool's; set ledger_table to have a ledger.",)
    elif snapshot.shape is Shape.ABSENT:
        notes = ("There is no ledger yet; the next upgrade creates it.",)
    applied = snapshot.applied
    notes += tuple(_gone(one, applied) for one in snapshot.collateral if one.owner is None)
    notes += tuple(_way_on(one) for one in snapshot.partials.values())
    notes += tuple(_archived(version, applied) for version in snapshot.archived)
    late = holes(history.graph, snapshot.applied)
    revisions = tuple(
        _revision_status(snapshot, version, rows.get(version), late=version in late)
        for version in ordered
    )
    return Status(snapshot.database, revisions, snapshot.now, notes)


def _revision_status(
    snapshot: Snapshot, version: str, row: LedgerRow | None, *, late: bool
) -> RevisionStatus:
    partial = snapshot.partials.get(version)
    applied = version in snapshot.applied and partial is None
    failure = snapshot.failures.get(version)
    if failure and (failure.direction == "up") == applied:
        failure = None  # what failed then has succeeded without the plugin since
    revision = snapshot.history.revisions.get(version)
    recorded = row if applied else None
    problems = _problems(revision, recorded, late=late) if revision else ["missing file"]
    return RevisionStatus(
        version=version,
        name=revision.name if revision else row.name if row else "",
        kind=("pair" if revision.is_pair else "py") if revision else "missing",
        applied=applied,
        file=revision.file if revision else None,
        applied_at=recorded.applied_at if recorded else None,
        execution_time_ms=recorded.execution_time_ms if recorded else None,
        checksum=recorded.checksum if recorded else None,
        problems=(*problems, *_damage(snapshot, version)),
        failure=failure,
        partial=partial,
        irreversible=revision.irreversible if revision else (),
    )


def _way_on(partial: Partial) -> str:
    """What to type where a revision is partial."""
    undo = f"`alembic rollback-db {partial.version}`"
    if partial.down:
        return f"{partial.version} is partial: {undo} finishes it."
    return (
        f"{partial.version} is partial: `alembic upgrade {partial.version}` finishes it, "
        f"{undo} undoes it."
    )


def _archived(version: str, applied: frozenset[str]) -> str:
    restore = f"`alembic restore-db {version}` puts it back"
    after = "" if version in applied else ", once it is applied again"
    return f"What the rollback of {version} took is archived: {restore}{after}."


def _damage(snapshot: Snapshot, version: str) -> tuple[str, ...]:
    """By whose rollback the revision has lost an object."""
    culprits = dict.fromkeys(one.version for one in snapshot.collateral if one.owner == version)
    return tuple(f"damaged by rollback of {culprit}" for culprit in culprits)


def _gone(one: Collateral, applied: frozenset[str]) -> str:
    """What happened to an object of which no revision is known to have made it."""
    if one.missing:
        end = f"it cannot be made again: {one.missing}."
    elif one.version in applied:
        end = "it has not been restored."
    else:
        end = "it comes back when that is applied again."
    return f"{one.title} was taken by the rollback of {one.version}; {end}"


def _problems(revision: Revision, row: LedgerRow | None, *, late: bool) -> list[str]:
    problems = []
    if revision.is_pair and row and row.checksum and row.checksum != revision.checksum:
        problems.append("modified")
    if not revision.has_down and not revision.irreversible:
        problems.append("missing down")
    if late:
        problems.append("out of order")
    return problems
