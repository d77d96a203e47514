"""The values that travel between the rooms: frozen, without behaviour that needs a database.

A file for each subject, imported with the first of its values: to make a dataclass takes time, and
no command needs them all.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alembic_rollback.model.downs import (
        Gap,
        GeneratedDown,
        KeptRows,
    )
    from alembic_rollback.model.failures import (
        StatementMark,
        StepFailure,
    )
    from alembic_rollback.model.repairs import (
        Amendment,
        Repair,
    )
    from alembic_rollback.model.revisions import (
        Collateral,
        Failure,
        LedgerRow,
        LogEntry,
        LogRow,
        Partial,
        Progress,
        Revision,
        StoredDown,
    )
    from alembic_rollback.model.rollbacks import (
        Affected,
        Finding,
        Impact,
        Obstacle,
        Plan,
        Rollback,
        StepImpact,
        TableLoss,
    )
    from alembic_rollback.model.statuses import (
        RevisionStatus,
        Status,
    )

__all__ = [
    "Affected",
    "Amendment",
    "Collateral",
    "Failure",
    "Finding",
    "Gap",
    "GeneratedDown",
    "Impact",
    "KeptRows",
    "LedgerRow",
    "LogEntry",
    "LogRow",
    "Obstacle",
    "Partial",
    "Plan",
    "Progress",
    "Repair",
    "Revision",
    "RevisionStatus",
    "Rollback",
    "StatementMark",
    "Status",
    "StepFailure",
    "StepImpact",
    "StoredDown",
    "TableLoss",
]

_MODULES = {
    "Affected": "rollbacks",
    "Amendment": "repairs",
    "Collateral": "revisions",
    "Failure": "revisions",
    "Finding": "rollbacks",
    "Gap": "downs",
    "GeneratedDown": "downs",
    "Impact": "rollbacks",
    "KeptRows": "downs",
    "LedgerRow": "revisions",
    "LogEntry": "revisions",
    "LogRow": "revisions",
    "Obstacle": "rollbacks",
    "Partial": "revisions",
    "Plan": "rollbacks",
    "Progress": "revisions",
    "Repair": "repairs",
    "Revision": "revisions",
    "RevisionStatus": "statuses",
    "Rollback": "rollbacks",
    "StatementMark": "failures",
    "Status": "statuses",
    "StepFailure": "failures",
    "StepImpact": "rollbacks",
    "StoredDown": "revisions",
    "TableLoss": "rollbacks",
}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
    return value
