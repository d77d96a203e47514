"""Steps that failed, and what is said of their statements."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from alembic_rollback.model.revisions import Partial


@dataclass(frozen=True)
class StepFailure:
    """Which step of a run failed, and what of the run stays."""

    version: str
    title: str
    direction: str
    """`up` or `down`."""
    path: Path
    message: str
    committed: tuple[str, ...] = ()
    """Steps of this run that were committed before, in order."""
    partial: Partial | None = None
    """How far the step got, where something of it stays: it ran outside a transaction."""
    external: bool = False
    """The transaction belongs to env.py or its caller, who decides about it."""
    backend: int = 0
    """The server's process that holds that transaction; 0 where it isn't external."""
    outside: bool = False
    """The step was not in a transaction."""
    earlier: bool = False
    """env.py had run steps on another database or schema before."""
    recorded: bool = True
    """The log could be asked what was committed, and says that the step failed."""
    lost: bool = False
    """The connection was lost; the script is not at fault."""


class StatementMark(NamedTuple):
    """What repair-db says of one statement of a partial revision."""

    number: int
    """From 1, as in the file."""
    text: str
    before: str
    """`executed`, `executed with another text`, `in doubt` or `not executed`."""
    after: str
    """`executed`, `not executed` or `no longer in the file`."""
