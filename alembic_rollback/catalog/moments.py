"""Whether anybody has written anything since a moment, without looking at what.

Whoever writes to a database, its schema or the roles, takes a transaction id of the cluster, and
PostgreSQL gives them out in order (pg_current_snapshot(); "Transactions and Identifiers", 74.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alembic_rollback import direct

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_MOMENT = (
    "SELECT concat_ws(' ', pg_postmaster_start_time(), current_database(), current_user, "
    "current_setting('search_path'), current_schemas(false)), "
    "CAST(CAST(pg_snapshot_xmin(now) AS text) AS bigint), "
    "CAST(CAST(pg_snapshot_xmax(now) AS text) AS bigint), "
    "CAST(CAST(pg_current_xact_id_if_assigned() AS text) AS bigint), "
    "EXISTS (SELECT FROM pg_event_trigger WHERE evtenabled <> 'D') "
    "FROM pg_current_snapshot() AS now"
)


@dataclass(frozen=True)
class Moment:
    """What the transaction that asks can see."""

    place: str
    """Which server, by when it was started, so that it is another one after a failover; as whom,
    and where names are looked for."""
    oldest: int
    """The oldest transaction that hasn't ended; `next` where there is none."""
    next: int
    """All transactions below it have ended, but for those from `oldest` on."""
    own: int | None
    """The asking transaction's id; None while it has written nothing."""
    event_triggers: bool
    """Statements that change the schema run functions of somebody's."""

    @property
    def complete(self) -> bool:
        """Whether everything that was ever written below `next` is seen, or was undone."""
        return self.oldest == self.next and self.own in (None, self.next)


def read_moment(connection: Connection) -> Moment:
    """Ask for the present moment: one query, which takes no lock and no transaction id."""
    row = direct.row(connection, _MOMENT)
    return Moment(str(row[0]), int(row[1]), int(row[2]), row[3], bool(row[4]))
