"""Whether the downs of revisions restore the schema: each is tried, with rows in the tables.

The history is replayed once on a scratch database. Before a revision becomes part of it, it is
applied, taken back and applied again: the catalog must be what it was before, then what it was
after. A pair is tried in one transaction that is rolled back. What cannot be tried so, what fails
there and what differs there is tried on a copy of the database, with commits as in a real run: only
what shows there, too, is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from alembic_rollback.progress import along
from alembic_rollback.verification.outcomes import Judged, Trouble, Verification
from alembic_rollback.verification.returning import Returned
from alembic_rollback.verification.trial import CameBack, Sides, try_with_rows
from alembic_rollback.verification.verifier import Verifier
from alembic_rollback.verification.walk import Walk

if TYPE_CHECKING:
    from alembic.config import Config

    from alembic_rollback.host.history import History
    from alembic_rollback.scratch import ScratchServer

__all__ = [
    "CameBack",
    "Judged",
    "Returned",
    "Sides",
    "Trouble",
    "Verification",
    "Verifier",
    "try_with_rows",
    "verify",
]


def verify(
    config: Config,
    history: History,
    server: ScratchServer,
    versions: Iterable[str],
    *,
    rows: int = 3,
) -> Verification:
    """Try the downs of some revisions, on what they stand on. env.py is never run.

    history: with the headers of the downs. rows: how many each table gets before the up; 0 for
    empty tables. Raises DatabaseError for a scratch server that refuses; what is wrong with a
    revision is no error but its outcome.
    """
    wanted = frozenset(versions)
    walk = Walk(config, history.directory, server, rows)
    judged = []
    try:
        order = history.graph.order(history.graph.cov(wanted))
        for version in along(order, lambda version: history.revisions[version].title):
            found = walk.step(
                history.revisions[version], history.script(version), version in wanted
            )
            judged += [found] if found else []
    finally:
        walk.close()
    return Verification(server.version, tuple(judged))
