"""What migration-status does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.host import environment
from alembic_rollback.statuses import status_of

if TYPE_CHECKING:
    from alembic.config import Config

    from alembic_rollback.model import Status


def status(config: Config) -> list[Status]:
    """Which revisions are applied, pending or not as they should be, for each database of env.py.

    Writes nothing, also where none of our tables exists yet.
    """
    return environment.inspect(config, lambda snapshot, connection: status_of(snapshot))
