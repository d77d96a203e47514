"""Results as plain data, for `--json`. Keys are stable; new ones may be added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alembic_rollback.model import (
        Affected,
        Failure,
        Finding,
        Partial,
        RevisionStatus,
        Rollback,
        Status,
        StepImpact,
        TableLoss,
    )


def status_data(statuses: Sequence[Status]) -> dict[str, Any]:
    """migration-status --json: `{"databases": [{"database", "revisions", "applied", …}]}`."""
    return {"databases": [_status(status) for status in statuses]}


def rollback_data(rollbacks: Sequence[Rollback], confirm: str | None = None) -> dict[str, Any]:
    """rollback-db --json: for each database its steps, what each takes away, and whether it ran.

    confirm: the hash of the whole, for --confirm.
    """
    found: dict[str, Any] = {"databases": [_rollback(one) for one in rollbacks]}
    return {"hash": confirm, **found} if confirm else found


def _status(status: Status) -> dict[str, Any]:
    return {
        "database": status.database,
        "applied": status.applied,
        "pending": status.pending,
        "clean": status.clean,
        "notes": list(status.notes),
        "revisions": [_revision(revision) for revision in status.revisions],
    }


def _revision(revision: RevisionStatus) -> dict[str, Any]:
    return {
        "version": revision.version,
        "name": revision.name,
        "kind": revision.kind,
        "state": revision.state,
        "partial": _partial(revision.partial),
        "applied_at": revision.applied_at.isoformat() if revision.applied_at else None,
        "execution_time_ms": revision.execution_time_ms,
        "checksum": revision.checksum,
        "path": str(revision.path) if revision.path else None,
        "problems": list(revision.problems),
        "irreversible": list(revision.irreversible),
        "last_failure": _failure(revision.failure),
    }


def _partial(partial: Partial | None) -> dict[str, Any] | None:
    if partial is None:
        return None
    progress = partial.progress
    return {
        "direction": partial.direction,
        "undoing": bool(partial.up and partial.down),
        "done": sorted(progress.done),
        "in_doubt": progress.doubtful,
        "total": progress.total,
        "shown": partial.shown,
    }


def _failure(failure: Failure | None) -> dict[str, Any] | None:
    if failure is None:
        return None
    return {
        "direction": failure.direction,
        "at": failure.at.isoformat(),
        "error": failure.error,
        "statement": failure.statement,
    }


def _rollback(one: Rollback) -> dict[str, Any]:
    return {
        "database": one.database,
        "executed": one.executed,
        "run_id": one.run_id or None,
        "destructive": one.impact.destructive,
        "must_confirm": one.must_ask,
        "findings": [_finding(finding) for finding in one.findings],
        "backup": str(one.backup) if one.backup else None,
        "archive": one.archive or None,
        "kept": [{"version": version, "what": what} for version, what in one.kept],
        "notes": list(one.notes),
        "steps": [_step(step) for step in one.impact.steps],
        "affected_foreign_keys": list(one.impact.referenced_by),
        "later_applied": [revision.version for revision in one.plan.later],
        "locks": {"estimated": one.impact.locks, "capacity": one.impact.lock_capacity},
    }


def _step(step: StepImpact) -> dict[str, Any]:
    return {
        "version": step.revision.version,
        "name": step.revision.name,
        "path": str(step.revision.path),
        "losses": list(step.losses),
        "tables": [_table(table) for table in step.tables],
        "destructive": step.destructive,
        "outside_transaction": step.outside,
        "objects": [_object(one) for one in step.objects],
        "unknown": list(step.unknown),
        "obstacles": [
            {"where": one.where, "problem": one.problem, "next_step": one.next_step or None}
            for one in step.obstacles
        ],
    }


def _object(one: Affected) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "name": one.name,
        "action": one.action,
        "how": one.how,
        "via": one.via or None,
        "outside": one.outside,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "level": finding.level,
        "message": finding.message,
        "next_step": finding.next_step or None,
    }


def _table(table: TableLoss) -> dict[str, Any]:
    return {
        "table": table.name,
        "column": table.column or None,
        "rows": table.rows,
        "exact": table.exact,
        "referenced_by": list(table.referenced_by),
    }
